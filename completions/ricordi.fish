# Completion of ricordi for fish, generated from the tree of verbs: `ricordi completion fish`.
# Put it into ~/.config/fish/completions/ricordi.fish, or: ricordi completion fish | source

function __ricordi_words --description 'The words that may follow those in the argument'
    switch $argv[1]
    case ''
        printf '%s\t%s\n' profile 'Profiles: the named storages of the configuration folder.' storage 'The storage of a profile: database and repository.' user 'Users: the people who own nodes and groups.' presto 'Set up a profile on SQLite with one command and no question.' status 'Show whether the profile can be used and what maintenance would gain.' tour 'Show a full maintenance on a small storage in a temporary folder.' completion 'Print the completion script for a shell.'
    case 'profile'
        printf '%s\t%s\n' list 'List the profiles.' show 'Show the configuration of a profile, passwords masked.' set-default 'Make a profile the one that is used when none is named.' setup 'Set up a new profile.' delete 'Delete profiles, with or without their data.'
    case 'profile setup'
        printf '%s\t%s\n' core.sqlite_dos 'Set up a profile on SQLite, which needs no server.' core.psql_dos 'Set up a profile on PostgreSQL.' core.sqlite_zip 'Set up a read-only profile on an archive.'
    case 'storage'
        printf '%s\t%s\n' info 'Show what the storage holds and how large it is.' version 'Show the schema version of the storage.' migrate 'Bring the database to the schema version that this program works on.' maintain 'Pack the repository; with --full also remove garbage, repack and vacuum.' locks 'Show who uses or locks the profile.' unlock 'Clear access records and locks that nobody can check, such as those of other hosts.'
    case 'user'
        printf '%s\t%s\n' list 'List the users of the storage.' configure 'Add a user or change one.' set-default 'Make a user the default one of the profile.'
    end
end

function __ricordi_options --description 'The options after these words'
    switch $argv[1]
    case 'profile list'
        printf '%s\t%s\n' --format 'How to write the result' --profile 'The profile to work on; else the default profile' -p 'The profile to work on; else the default profile' --verbose 'Tell more, on stderr' -v 'Tell more, on stderr' --quiet 'Print nothing but errors' -q 'Print nothing but errors' --debug 'Show the traceback of an error' --help 'Show this message and exit' -h 'Show this message and exit'
    case 'profile show'
        printf '%s\t%s\n' --format 'How to write the result' --profile 'The profile to work on; else the default profile' -p 'The profile to work on; else the default profile' --verbose 'Tell more, on stderr' -v 'Tell more, on stderr' --quiet 'Print nothing but errors' -q 'Print nothing but errors' --debug 'Show the traceback of an error' --help 'Show this message and exit' -h 'Show this message and exit'
    case 'profile set-default'
        printf '%s\t%s\n' --profile 'The profile to work on; else the default profile' -p 'The profile to work on; else the default profile' --verbose 'Tell more, on stderr' -v 'Tell more, on stderr' --quiet 'Print nothing but errors' -q 'Print nothing but errors' --debug 'Show the traceback of an error' --help 'Show this message and exit' -h 'Show this message and exit'
    case 'profile setup core.sqlite_dos'
        printf '%s\t%s\n' --profile-name 'The name of the new profile' -p 'The name of the new profile' --set-as-default 'Make it the default profile' --no-set-as-default 'Make it the default profile' --email 'Email address: who is the author of what is stored' --first-name 'First name' --last-name 'Last name' --institution 'Institution' --filepath 'Where to store the data' --config 'Take values from a YAML file, `name: value` for each option' --non-interactive 'Never ask, take defaults; or insist on asking' --interactive 'Never ask, take defaults; or insist on asking' -n 'Never ask, take defaults; or insist on asking' -I 'Never ask, take defaults; or insist on asking' --profile 'The profile to work on; else the default profile' --verbose 'Tell more, on stderr' -v 'Tell more, on stderr' --quiet 'Print nothing but errors' -q 'Print nothing but errors' --debug 'Show the traceback of an error' --help 'Show this message and exit' -h 'Show this message and exit'
    case 'profile setup core.psql_dos'
        printf '%s\t%s\n' --profile-name 'The name of the new profile' -p 'The name of the new profile' --set-as-default 'Make it the default profile' --no-set-as-default 'Make it the default profile' --email 'Email address: who is the author of what is stored' --first-name 'First name' --last-name 'Last name' --institution 'Institution' --database-hostname 'Host of the PostgreSQL server' --database-port 'Port of the PostgreSQL server' --database-username 'User of the database' --database-password 'Password of that user' --database-name 'Name of the database, which must be there and empty' --admin-uri 'Address of an administrator of the server: user, password and database are made with these rights' --repository-uri 'file:// URI of the folder for the objects' --config 'Take values from a YAML file, `name: value` for each option' --non-interactive 'Never ask, take defaults; or insist on asking' --interactive 'Never ask, take defaults; or insist on asking' -n 'Never ask, take defaults; or insist on asking' -I 'Never ask, take defaults; or insist on asking' --profile 'The profile to work on; else the default profile' --verbose 'Tell more, on stderr' -v 'Tell more, on stderr' --quiet 'Print nothing but errors' -q 'Print nothing but errors' --debug 'Show the traceback of an error' --help 'Show this message and exit' -h 'Show this message and exit'
    case 'profile setup core.sqlite_zip'
        printf '%s\t%s\n' --profile-name 'The name of the new profile' -p 'The name of the new profile' --set-as-default 'Make it the default profile' --no-set-as-default 'Make it the default profile' --email 'Email address: who is the author of what is stored' --first-name 'First name' --last-name 'Last name' --institution 'Institution' --filepath 'The archive' --config 'Take values from a YAML file, `name: value` for each option' --non-interactive 'Never ask, take defaults; or insist on asking' --interactive 'Never ask, take defaults; or insist on asking' -n 'Never ask, take defaults; or insist on asking' -I 'Never ask, take defaults; or insist on asking' --profile 'The profile to work on; else the default profile' --verbose 'Tell more, on stderr' -v 'Tell more, on stderr' --quiet 'Print nothing but errors' -q 'Print nothing but errors' --debug 'Show the traceback of an error' --help 'Show this message and exit' -h 'Show this message and exit'
    case 'profile delete'
        printf '%s\t%s\n' --delete-data 'Delete the storage with all its data, or leave it' --keep-data 'Delete the storage with all its data, or leave it' --dry-run 'Show what would be deleted and delete nothing' -n 'Show what would be deleted and delete nothing' --yes 'Do not ask before deleting' --force 'Do not ask before deleting' -y 'Do not ask before deleting' -f 'Do not ask before deleting' --profile 'The profile to work on; else the default profile' -p 'The profile to work on; else the default profile' --verbose 'Tell more, on stderr' -v 'Tell more, on stderr' --quiet 'Print nothing but errors' -q 'Print nothing but errors' --debug 'Show the traceback of an error' --help 'Show this message and exit' -h 'Show this message and exit'
    case 'storage info'
        printf '%s\t%s\n' --detailed 'Also what takes time to find: garbage, waste, missing objects, table sizes' --format 'How to write the result' --profile 'The profile to work on; else the default profile' -p 'The profile to work on; else the default profile' --verbose 'Tell more, on stderr' -v 'Tell more, on stderr' --quiet 'Print nothing but errors' -q 'Print nothing but errors' --debug 'Show the traceback of an error' --help 'Show this message and exit' -h 'Show this message and exit'
    case 'storage version'
        printf '%s\t%s\n' --format 'How to write the result' --profile 'The profile to work on; else the default profile' -p 'The profile to work on; else the default profile' --verbose 'Tell more, on stderr' -v 'Tell more, on stderr' --quiet 'Print nothing but errors' -q 'Print nothing but errors' --debug 'Show the traceback of an error' --help 'Show this message and exit' -h 'Show this message and exit'
    case 'storage migrate'
        printf '%s\t%s\n' --yes 'Do not ask before changing the database' --force 'Do not ask before changing the database' -y 'Do not ask before changing the database' -f 'Do not ask before changing the database' --wait 'Wait so long (90s, 10m, 2h) for others to leave the profile' --profile 'The profile to work on; else the default profile' -p 'The profile to work on; else the default profile' --verbose 'Tell more, on stderr' -v 'Tell more, on stderr' --quiet 'Print nothing but errors' -q 'Print nothing but errors' --debug 'Show the traceback of an error' --help 'Show this message and exit' -h 'Show this message and exit'
    case 'storage maintain'
        printf '%s\t%s\n' --full 'Lock the profile; also remove garbage, repack and vacuum' --dry-run 'Show the plan and write nothing' --repack 'With --full, which packs to rewrite: those with too much waste or too small, all, or none' --no-repack 'The same as --repack none' --max-waste 'How much of a pack may be waste before --repack auto rewrites it' --compress 'Compress what is packed and repacked: all, none, what a sample shows to be worth it (auto, also meant by the bare option), or leave each object in the form it has' --wait 'Wait so long (90s, 10m, 2h) for others to leave the profile' --max-runtime 'End cleanly after so long (90s, 10m, 2h); exits with 7 if there is more to do' --yes 'Do not ask before a full maintenance' --force 'Do not ask before a full maintenance' -y 'Do not ask before a full maintenance' -f 'Do not ask before a full maintenance' --format 'How to write the result' --profile 'The profile to work on; else the default profile' -p 'The profile to work on; else the default profile' --verbose 'Tell more, on stderr' -v 'Tell more, on stderr' --quiet 'Print nothing but errors' -q 'Print nothing but errors' --debug 'Show the traceback of an error' --help 'Show this message and exit' -h 'Show this message and exit'
    case 'storage locks'
        printf '%s\t%s\n' --format 'How to write the result' --profile 'The profile to work on; else the default profile' -p 'The profile to work on; else the default profile' --verbose 'Tell more, on stderr' -v 'Tell more, on stderr' --quiet 'Print nothing but errors' -q 'Print nothing but errors' --debug 'Show the traceback of an error' --help 'Show this message and exit' -h 'Show this message and exit'
    case 'storage unlock'
        printf '%s\t%s\n' --dry-run 'Show what would be cleared and clear nothing' --yes 'Do not ask before clearing the records of other hosts and containers' --force 'Do not ask before clearing the records of other hosts and containers' -y 'Do not ask before clearing the records of other hosts and containers' -f 'Do not ask before clearing the records of other hosts and containers' --profile 'The profile to work on; else the default profile' -p 'The profile to work on; else the default profile' --verbose 'Tell more, on stderr' -v 'Tell more, on stderr' --quiet 'Print nothing but errors' -q 'Print nothing but errors' --debug 'Show the traceback of an error' --help 'Show this message and exit' -h 'Show this message and exit'
    case 'user list'
        printf '%s\t%s\n' --format 'How to write the result' --profile 'The profile to work on; else the default profile' -p 'The profile to work on; else the default profile' --verbose 'Tell more, on stderr' -v 'Tell more, on stderr' --quiet 'Print nothing but errors' -q 'Print nothing but errors' --debug 'Show the traceback of an error' --help 'Show this message and exit' -h 'Show this message and exit'
    case 'user configure'
        printf '%s\t%s\n' --email 'Who: the address tells users apart' --first-name 'First name' --last-name 'Last name' --institution 'Institution' --set-default 'Make it the default user of the profile' --config 'Take values from a YAML file, `name: value` for each option' --non-interactive 'Never ask, take defaults; or insist on asking' --interactive 'Never ask, take defaults; or insist on asking' -n 'Never ask, take defaults; or insist on asking' -I 'Never ask, take defaults; or insist on asking' --profile 'The profile to work on; else the default profile' -p 'The profile to work on; else the default profile' --verbose 'Tell more, on stderr' -v 'Tell more, on stderr' --quiet 'Print nothing but errors' -q 'Print nothing but errors' --debug 'Show the traceback of an error' --help 'Show this message and exit' -h 'Show this message and exit'
    case 'user set-default'
        printf '%s\t%s\n' --profile 'The profile to work on; else the default profile' -p 'The profile to work on; else the default profile' --verbose 'Tell more, on stderr' -v 'Tell more, on stderr' --quiet 'Print nothing but errors' -q 'Print nothing but errors' --debug 'Show the traceback of an error' --help 'Show this message and exit' -h 'Show this message and exit'
    case 'presto'
        printf '%s\t%s\n' --profile-name 'Name of the profile' -p 'Name of the profile' --email 'Email address of the default user' --use-postgres 'Make a database on a PostgreSQL server, not SQLite' --postgres-hostname 'Host of the server' --postgres-port 'Port of the server' --postgres-username 'An administrator of the server' --postgres-password 'Password of the administrator' --profile 'The profile to work on; else the default profile' --verbose 'Tell more, on stderr' -v 'Tell more, on stderr' --quiet 'Print nothing but errors' -q 'Print nothing but errors' --debug 'Show the traceback of an error' --help 'Show this message and exit' -h 'Show this message and exit'
    case 'status'
        printf '%s\t%s\n' --format 'How to write the result' --profile 'The profile to work on; else the default profile' -p 'The profile to work on; else the default profile' --verbose 'Tell more, on stderr' -v 'Tell more, on stderr' --quiet 'Print nothing but errors' -q 'Print nothing but errors' --debug 'Show the traceback of an error' --help 'Show this message and exit' -h 'Show this message and exit'
    case 'tour'
        printf '%s\t%s\n' --keep 'Leave the temporary folder where it is, to look around in it' --format 'How to write the result' --profile 'The profile to work on; else the default profile' -p 'The profile to work on; else the default profile' --verbose 'Tell more, on stderr' -v 'Tell more, on stderr' --quiet 'Print nothing but errors' -q 'Print nothing but errors' --debug 'Show the traceback of an error' --help 'Show this message and exit' -h 'Show this message and exit'
    case 'completion'
        printf '%s\t%s\n' --profile 'The profile to work on; else the default profile' -p 'The profile to work on; else the default profile' --verbose 'Tell more, on stderr' -v 'Tell more, on stderr' --quiet 'Print nothing but errors' -q 'Print nothing but errors' --debug 'Show the traceback of an error' --help 'Show this message and exit' -h 'Show this message and exit'
    case '*'
        printf '%s\t%s\n' -p 'The profile to work on; else the default profile.' --profile 'The profile to work on; else the default profile.' -v 'Tell more, on stderr.' --verbose 'Tell more, on stderr.' -q 'Print nothing but errors.' --quiet 'Print nothing but errors.' --debug 'Show the traceback of an error.' --version 'Show the version of the program and exit.' -h 'Show this message and exit.' --help 'Show this message and exit.'
    end
end

function __ricordi_value --description 'What `words|option` takes'
    switch $argv[1]
    case 'profile list|--format'
        echo 'words:table json jsonl csv yaml'
    case 'profile show|--format'
        echo 'words:table json jsonl csv yaml'
    case 'profile show|'
        echo 'profile'
    case 'profile set-default|'
        echo 'profile'
    case 'profile setup core.sqlite_dos|--profile-name' 'profile setup core.sqlite_dos|-p'
        echo 'any'
    case 'profile setup core.sqlite_dos|--email'
        echo 'any'
    case 'profile setup core.sqlite_dos|--first-name'
        echo 'any'
    case 'profile setup core.sqlite_dos|--last-name'
        echo 'any'
    case 'profile setup core.sqlite_dos|--institution'
        echo 'any'
    case 'profile setup core.sqlite_dos|--filepath'
        echo 'folder'
    case 'profile setup core.sqlite_dos|--config'
        echo 'file'
    case 'profile setup core.psql_dos|--profile-name' 'profile setup core.psql_dos|-p'
        echo 'any'
    case 'profile setup core.psql_dos|--email'
        echo 'any'
    case 'profile setup core.psql_dos|--first-name'
        echo 'any'
    case 'profile setup core.psql_dos|--last-name'
        echo 'any'
    case 'profile setup core.psql_dos|--institution'
        echo 'any'
    case 'profile setup core.psql_dos|--database-hostname'
        echo 'any'
    case 'profile setup core.psql_dos|--database-port'
        echo 'any'
    case 'profile setup core.psql_dos|--database-username'
        echo 'any'
    case 'profile setup core.psql_dos|--database-password'
        echo 'any'
    case 'profile setup core.psql_dos|--database-name'
        echo 'any'
    case 'profile setup core.psql_dos|--admin-uri'
        echo 'any'
    case 'profile setup core.psql_dos|--repository-uri'
        echo 'any'
    case 'profile setup core.psql_dos|--config'
        echo 'file'
    case 'profile setup core.sqlite_zip|--profile-name' 'profile setup core.sqlite_zip|-p'
        echo 'any'
    case 'profile setup core.sqlite_zip|--email'
        echo 'any'
    case 'profile setup core.sqlite_zip|--first-name'
        echo 'any'
    case 'profile setup core.sqlite_zip|--last-name'
        echo 'any'
    case 'profile setup core.sqlite_zip|--institution'
        echo 'any'
    case 'profile setup core.sqlite_zip|--filepath'
        echo 'file'
    case 'profile setup core.sqlite_zip|--config'
        echo 'file'
    case 'profile delete|'
        echo 'profile'
    case 'storage info|--format'
        echo 'words:table json jsonl csv yaml'
    case 'storage version|--format'
        echo 'words:table json jsonl csv yaml'
    case 'storage migrate|--wait'
        echo 'any'
    case 'storage maintain|--repack'
        echo 'words:auto all none'
    case 'storage maintain|--max-waste'
        echo 'any'
    case 'storage maintain|--compress'
        echo 'words:auto yes no keep'
    case 'storage maintain|--wait'
        echo 'any'
    case 'storage maintain|--max-runtime'
        echo 'any'
    case 'storage maintain|--format'
        echo 'words:table json jsonl csv yaml'
    case 'storage locks|--format'
        echo 'words:table json jsonl csv yaml'
    case 'user list|--format'
        echo 'words:table json jsonl csv yaml'
    case 'user configure|--email'
        echo 'user'
    case 'user configure|--first-name'
        echo 'any'
    case 'user configure|--last-name'
        echo 'any'
    case 'user configure|--institution'
        echo 'any'
    case 'user configure|--config'
        echo 'file'
    case 'user set-default|'
        echo 'user'
    case 'presto|--profile-name' 'presto|-p'
        echo 'any'
    case 'presto|--email'
        echo 'any'
    case 'presto|--postgres-hostname'
        echo 'any'
    case 'presto|--postgres-port'
        echo 'any'
    case 'presto|--postgres-username'
        echo 'any'
    case 'presto|--postgres-password'
        echo 'any'
    case 'status|--format'
        echo 'words:table json jsonl csv yaml'
    case 'tour|--format'
        echo 'words:table json jsonl csv yaml'
    case 'completion|'
        echo 'words:bash zsh fish'
    case '*'
        string match -rq '\|(-p|--profile)$' -- $argv[1]; and echo profile
    end
end

function __ricordi_complete
    set -l tokens (commandline -opc)
    set -l current (commandline -ct)
    set -l words
    set -l kind ''
    set -l named ''
    for token in $tokens[2..-1]
        if string match -q -- '-*' $token
            set kind (__ricordi_value "$words|$token")
            string match -q -- '--profile=*' $token; and set named (string replace -- '--profile=' '' $token)
        else if test -n "$kind"
            test "$kind" = profile; and set named $token
            set kind ''
        else if contains -- $token (__ricordi_words "$words" | string replace -r '\t.*' '')
            set -a words $token
        end
    end
    if string match -q -- '-*' $current
        __ricordi_options "$words"
        return
    end
    if test -z "$kind"
        set -l below (__ricordi_words "$words")
        if test -n "$below"
            printf '%s\n' $below
            return
        end
        set kind (__ricordi_value "$words|")
    end
    switch "$kind"
        case 'words:*'
            string split ' ' (string replace 'words:' '' $kind)
        case file
            __fish_complete_path $current
        case folder
            __fish_complete_directories $current
        case any ''
            return
        case '*'
            command -q $tokens[1]; and $tokens[1] _names $kind "$current" "$named" 2>/dev/null
    end
end

complete -c ricordi -f -a '(__ricordi_complete)'
