# Completion of ricordi for bash, generated from the tree of verbs: `ricordi completion bash`.
# Put it into ~/.local/share/bash-completion/completions/ricordi, or: source <(ricordi completion bash)

# What may follow the words in $1: sets subs and opts.
_ricordi_words() {
    subs=''
    opts='-p --profile --archive -v --verbose --verbosity -q --quiet --color --no-color --utc --debug --version -h --help'
    case $1 in
        '') subs='profile storage node data group process calcjob code computer user archive config shell query presto status tour completion' ;;
        profile) subs='list show set-default use-backend setup delete dump' ;;
        'profile setup') subs='core.sqlite_dos core.psql_dos ricordi.psql_bucket core.sqlite_zip' ;;
        storage) subs='info version migrate maintain usage index report verify backup snapshots forget restore repair locks unlock' ;;
        'storage index') subs='list add drop suggest' ;;
        node) subs='list show attributes extras logs label description graph tree delete rehash comment repo' ;;
        'node extras') subs='show set unset' ;;
        'node graph') subs=generate ;;
        'node comment') subs='add show update remove' ;;
        'node repo') subs='ls cat dump' ;;
        data) subs='core.array core.cif core.dict core.remote core.singlefile core.structure core.trajectory core.upf' ;;
        'data core.array') subs=show ;;
        'data core.cif') subs='list content export' ;;
        'data core.dict') subs=show ;;
        'data core.remote') subs=show ;;
        'data core.singlefile') subs=content ;;
        'data core.structure') subs='list show export' ;;
        'data core.trajectory') subs='list export' ;;
        'data core.upf') subs='export exportfamily listfamilies' ;;
        group) subs='list show create relabel description add-nodes remove-nodes move-nodes copy delete dump path' ;;
        'group path') subs=ls ;;
        process) subs='list show report status call-root dump' ;;
        calcjob) subs='inputls inputcat outputls outputcat res' ;;
        code) subs='list show export' ;;
        computer) subs='list show setup duplicate configure test goto enable disable relabel delete export' ;;
        'computer configure') subs='show core.local core.ssh core.ssh_async' ;;
        'computer export') subs='setup config' ;;
        user) subs='list configure set-default' ;;
        archive) subs='create import info version migrate' ;;
        config) subs='list get show set unset' ;;
        'profile list') opts='--format --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'profile show') opts='--format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'profile set-default') opts='--verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'profile use-backend') opts='--wait --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'profile setup core.sqlite_dos') opts='--profile-name -p --set-as-default --no-set-as-default --broker --email --first-name --last-name --institution --filepath --adopt --config --non-interactive --interactive -n -I --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'profile setup core.psql_dos') opts='--profile-name -p --set-as-default --no-set-as-default --broker --email --first-name --last-name --institution --database-hostname --database-port --database-username --database-password --database-name --admin-uri --repository-uri --adopt --config --non-interactive --interactive -n -I --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'profile setup ricordi.psql_bucket') opts='--profile-name -p --set-as-default --no-set-as-default --broker --email --first-name --last-name --institution --database-hostname --database-port --database-username --database-password --database-name --admin-uri --endpoint-url --bucket-name --prefix --region --make-bucket --access-key-id --secret-access-key --keep-secret --credentials-profile --cache-folder --cache-bytes --adopt --config --non-interactive --interactive -n -I --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'profile setup core.sqlite_zip') opts='--profile-name -p --set-as-default --no-set-as-default --broker --email --first-name --last-name --institution --filepath --config --non-interactive --interactive -n -I --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'profile delete') opts='--delete-data --keep-data --admin-uri --dry-run -n --yes --force -y -f --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'profile dump') opts='--all -a --groups -G --also-ungrouped --no-also-ungrouped --codes -X --computers -Y --user -u --organize-by-groups --no-organize-by-groups --relabel-groups --no-relabel-groups --path --dry-run -n --overwrite -o --past-days -p --start-date --end-date --filter-by-last-dump-time --no-filter-by-last-dump-time --dump-unsealed --no-dump-unsealed --only-top-level-calcs --no-only-top-level-calcs --only-top-level-workflows --no-only-top-level-workflows --symlink-calcs --no-symlink-calcs --delete-missing --no-delete-missing --include-inputs --exclude-inputs --include-outputs --exclude-outputs --include-attributes --exclude-attributes --include-extras --exclude-extras --flat -f --format --profile --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'storage info') opts='--detailed --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'storage version') opts='--format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'storage migrate') opts='--dry-run --yes --force -y -f --wait --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'storage maintain') opts='--all-profiles --full --dry-run --repack --no-repack --max-waste --compress --grace --adopt --wait --max-runtime --yes --force -y -f --format --output-file -O --overwrite --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'storage usage') opts='--by --top --only --interactive -i --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'storage index list') opts='--format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'storage index add') opts='--profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'storage index drop') opts='--profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'storage index suggest') opts='--format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'storage report') opts='--output-file -O --overwrite --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'storage verify') opts='--read --subset --backup --wait --max-runtime --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'storage backup') opts='--tag --dry-run --keep --keep-last --keep-hourly --keep-daily --keep-weekly --keep-monthly --keep-yearly --wait --max-runtime --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'storage snapshots') opts='--format --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'storage forget') opts='--tag --keep --keep-last --keep-hourly --keep-daily --keep-weekly --keep-monthly --keep-yearly --dry-run --yes --force -y -f --wait --format --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'storage restore') opts='--of --rehearse --storage --filepath --set-as-default --no-set-as-default --broker --database-hostname --database-port --database-username --database-password --database-name --admin-uri --repository-uri --config --non-interactive --interactive -n -I --wait --max-runtime --format --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'storage repair') opts='--from --read --database --dry-run --wait --yes --force -y -f --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'storage locks') opts='--format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'storage unlock') opts='--dry-run --yes --force -y -f --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'node list') opts='--where --type --entry-point -e --subclassing --no-subclassing --group -G --computer -Y --user -u --past-days -p --ancestor-of --descendant-of --project -P --order-by -O --order-direction -D --limit -l --raw -r --format --profile --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'node show') opts='--print-groups --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'node attributes') opts='--keys -k --identifier -i --format -f --raw -r --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'node extras show') opts='--keys -k --identifier -i --format -f --raw -r --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'node extras set') opts='--dry-run -n --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'node extras unset') opts='--keys -k --dry-run -n --yes --force -y -f --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'node logs') opts='--levelname -l --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'node label') opts='--label -L --raw -r --dry-run -n --yes --force -y -f --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'node description') opts='--description -D --raw -r --dry-run -n --yes --force -y -f --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'node graph generate') opts='--link-types -l --ancestor-depth -a --descendant-depth -d --process-out -o --process-in -i --identifier --highlight-classes -c --engine -e --output-format -f --output-file -O --show -s --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'node tree') opts='--depth -d --direction --link-types -l --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'node delete') opts='--dry-run -n --yes --force -y -f --create-forward --no-create-forward --call-work-forward --no-call-work-forward --call-calc-forward --no-call-calc-forward --clean-workdir --run-commands --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'node rehash') opts='--entry-point -e --dry-run -n --yes --force -y -f --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'node comment add') opts='--nodes -N --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'node comment show') opts='--user -u --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'node comment update') opts='--profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'node comment remove') opts='--dry-run -n --yes --force -y -f --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'node repo ls') opts='--long -l --color -c --format --profile -p --archive --verbosity --verbose -v --quiet -q --no-color --utc --debug --help -h' ;;
        'node repo cat') opts='--profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'node repo dump') opts='--profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'data core.array show') opts='--format -f --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'data core.cif list') opts='--groups -G --past-days -p --all-users -A --raw -r --format --profile --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'data core.cif content') opts='--profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'data core.cif export') opts='--format -F --output -o --force -f --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'data core.dict show') opts='--format -f --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'data core.remote show') opts='--format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'data core.singlefile content') opts='--profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'data core.structure list') opts='--with-elements -e --formula-mode -f --groups -G --past-days -p --all-users -A --raw -r --format --profile --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'data core.structure show') opts='--format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'data core.structure export') opts='--format -F --output -o --force -f --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'data core.trajectory list') opts='--groups -G --past-days -p --all-users -A --raw -r --format --profile --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'data core.trajectory export') opts='--trajectory-index -i --format -F --output -o --force -f --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'data core.upf export') opts='--format -F --output -o --force -f --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'data core.upf exportfamily') opts='--profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'data core.upf listfamilies') opts='--with-description -d --with-elements -e --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'group list') opts='--all-users -A --user -u --type-string -T --past-days -p --startswith -s --endswith -e --contains -c --node -N --all -a --with-description -d --count -C --order-by -O --order-direction -D --raw -r --format --profile --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'group show') opts='--raw -r --uuid -u --limit -l --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'group create') opts='--description -d --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'group relabel') opts='--profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'group description') opts='--format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'group add-nodes') opts='--group -G --dry-run -n --yes --force -y -f --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'group remove-nodes') opts='--group -G --clear -c --dry-run -n --yes --force -y -f --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'group move-nodes') opts='--source-group -s --target-group -t --all -a --dry-run -n --yes --force -y -f --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'group copy') opts='--dry-run -n --yes --force -y -f --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'group delete') opts='--all-users -A --user -u --type-string -T --past-days -p --startswith -s --endswith -e --contains -c --node -N --delete-nodes --create-forward --no-create-forward --call-work-forward --no-call-work-forward --call-calc-forward --no-call-calc-forward --dry-run -n --yes --force -y -f --format --profile --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'group dump') opts='--path --dry-run -n --overwrite -o --past-days -p --start-date --end-date --filter-by-last-dump-time --no-filter-by-last-dump-time --dump-unsealed --no-dump-unsealed --only-top-level-calcs --no-only-top-level-calcs --only-top-level-workflows --no-only-top-level-workflows --symlink-calcs --no-symlink-calcs --delete-missing --no-delete-missing --include-inputs --exclude-inputs --include-outputs --exclude-outputs --include-attributes --exclude-attributes --include-extras --exclude-extras --flat -f --format --profile --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'group path ls') opts='--type-string -T --recursive -R --no-virtual --long -l --with-description -d --no-warn --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'process list') opts='--all -a --process-state -S --process-label -L --paused --exit-status -E --failed -X --past-days -p --group -G --project -P --order-by -O --order-direction -D --limit -l --raw -r --format --profile --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'process show') opts='--most-recent-node -M --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'process report') opts='--most-recent-node -M --indent-size -i --levelname -l --max-depth -m --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'process status') opts='--most-recent-node -M --call-link-label -c --max-depth -m --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'process call-root') opts='--format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'process dump') opts='--path --dry-run -n --overwrite -o --dump-unsealed --no-dump-unsealed --include-inputs --exclude-inputs --include-outputs --exclude-outputs --include-attributes --exclude-attributes --include-extras --exclude-extras --flat -f --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'calcjob inputls') opts='--long -l --color -c --format --profile -p --archive --verbosity --verbose -v --quiet -q --no-color --utc --debug --help -h' ;;
        'calcjob inputcat') opts='--profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'calcjob outputls') opts='--long -l --color -c --format --profile -p --archive --verbosity --verbose -v --quiet -q --no-color --utc --debug --help -h' ;;
        'calcjob outputcat') opts='--profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'calcjob res') opts='--keys -k --format -f --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'code list') opts='--computer -Y --default-calc-job-plugin -d --all -a --all-users -A --project -P --raw -r --show-owner -o --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'code show') opts='--format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'code export') opts='--overwrite -o --sort --no-sort --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'computer list') opts='--all -a --raw -r --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'computer show') opts='--format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'computer setup') opts='--label -L --hostname -H --description -D --transport -T --scheduler -S --work-dir -w --shebang --mpirun-command -m --mpiprocs-per-machine --default-memory-per-machine --use-double-quotes --not-use-double-quotes --prepend-text --append-text --config --non-interactive --interactive -n -I --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'computer duplicate') opts='--label -L --hostname -H --description -D --transport -T --scheduler -S --work-dir -w --shebang --mpirun-command -m --mpiprocs-per-machine --default-memory-per-machine --use-double-quotes --not-use-double-quotes --prepend-text --append-text --config --non-interactive --interactive -n -I --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'computer configure show') opts='--defaults --as-option-string --user -u --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'computer configure core.local') opts='--use-login-shell --no-use-login-shell --safe-interval --user -u --config --non-interactive --interactive -n -I --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'computer configure core.ssh') opts='--username --port -P --look-for-keys --no-look-for-keys --key-filename --timeout --allow-agent --no-allow-agent --proxy-jump --proxy-command --compress --no-compress --gss-auth --gss-kex --gss-deleg-creds --gss-host --load-system-host-keys --no-load-system-host-keys --key-policy --use-login-shell --no-use-login-shell --safe-interval --user -u --config --non-interactive --interactive -n -I --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'computer configure core.ssh_async') opts='--host --data-node-host --max-io-allowed --authentication-script --backend --use-sftp --no-use-sftp --use-login-shell --no-use-login-shell --safe-interval --user -u --config --non-interactive --interactive -n -I --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'computer test') opts='--user -u --print-traceback -t --run-commands --yes --force -y -f --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'computer goto') opts='--run-commands --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'computer enable') opts='--profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'computer disable') opts='--profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'computer relabel') opts='--profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'computer delete') opts='--delete-nodes --dry-run -n --yes --force -y -f --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'computer export setup') opts='--overwrite -o --sort --no-sort --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'computer export config') opts='--overwrite -o --sort --no-sort --user -u --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'user list') opts='--format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'user configure') opts='--email --first-name --last-name --institution --set-default --config --non-interactive --interactive -n -I --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'user set-default') opts='--profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'archive create') opts='--all -a --nodes -N --groups -G --codes -X --computers -Y --input-calc-forward --no-input-calc-forward --input-work-forward --no-input-work-forward --create-backward --no-create-backward --return-backward --no-return-backward --call-calc-backward --no-call-calc-backward --call-work-backward --no-call-work-backward --include-comments --exclude-comments --include-logs --exclude-logs --include-authinfos --exclude-authinfos --compress --force -f --dry-run -n --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'archive import') opts='--webpages -w --import-group --no-import-group --group -G --extras-mode-new --include-authinfos --exclude-authinfos --extras-mode-existing -e --comment-mode --migration --no-migration --dry-run -n --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'archive info') opts='--detailed --format --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'archive version') opts='--format --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'archive migrate') opts='--force -f --in-place -i --version --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'config list') opts='--description -d --advanced --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'config get') opts='--format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'config show') opts='--format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'config set') opts='--global -g --append -a --remove -r --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        'config unset') opts='--global -g --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        shell) opts='--plain --no-startup --interface -i --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        query) opts='--limit -l --offset --count --sql --dry-run -n --raw -r --format --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        presto) opts='--profile-name -p --email --use-postgres --postgres-hostname --postgres-port --postgres-username --postgres-password --use-zeromq --set-as-default --no-set-as-default --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        status) opts='--all-profiles --count --max-age-full --max-garbage --max-age-backup --no-rmq --format --output-file -O --profile -p --archive --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        tour) opts='--nodes --keep --format --verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
        completion) opts='--verbosity --verbose -v --quiet -q --color --no-color --utc --debug --help -h' ;;
    esac
}

# What the option $2 after the words in $1 takes (no option: an argument): sets kind.
_ricordi_value() {
    kind=''
    case "$1|$2" in
        'profile list|--format') kind='words:table json jsonl csv yaml' ;;
        'profile list|--color') kind='words:always auto never' ;;
        'profile show|--format') kind='words:table json jsonl csv yaml' ;;
        'profile show|--color') kind='words:always auto never' ;;
        'profile show|') kind=profile ;;
        'profile set-default|--color') kind='words:always auto never' ;;
        'profile set-default|') kind=profile ;;
        'profile use-backend|--wait') kind=any ;;
        'profile use-backend|--color') kind='words:always auto never' ;;
        'profile use-backend|') kind=profile ;;
        'profile setup core.sqlite_dos|--profile-name'|'profile setup core.sqlite_dos|-p') kind=any ;;
        'profile setup core.sqlite_dos|--broker') kind='words:none core.rabbitmq core.zeromq' ;;
        'profile setup core.sqlite_dos|--email') kind=any ;;
        'profile setup core.sqlite_dos|--first-name') kind=any ;;
        'profile setup core.sqlite_dos|--last-name') kind=any ;;
        'profile setup core.sqlite_dos|--institution') kind=any ;;
        'profile setup core.sqlite_dos|--filepath') kind=folder ;;
        'profile setup core.sqlite_dos|--config') kind=file ;;
        'profile setup core.sqlite_dos|--color') kind='words:always auto never' ;;
        'profile setup core.psql_dos|--profile-name'|'profile setup core.psql_dos|-p') kind=any ;;
        'profile setup core.psql_dos|--broker') kind='words:none core.rabbitmq core.zeromq' ;;
        'profile setup core.psql_dos|--email') kind=any ;;
        'profile setup core.psql_dos|--first-name') kind=any ;;
        'profile setup core.psql_dos|--last-name') kind=any ;;
        'profile setup core.psql_dos|--institution') kind=any ;;
        'profile setup core.psql_dos|--database-hostname') kind=any ;;
        'profile setup core.psql_dos|--database-port') kind=any ;;
        'profile setup core.psql_dos|--database-username') kind=any ;;
        'profile setup core.psql_dos|--database-password') kind=any ;;
        'profile setup core.psql_dos|--database-name') kind=any ;;
        'profile setup core.psql_dos|--admin-uri') kind=any ;;
        'profile setup core.psql_dos|--repository-uri') kind=any ;;
        'profile setup core.psql_dos|--config') kind=file ;;
        'profile setup core.psql_dos|--color') kind='words:always auto never' ;;
        'profile setup ricordi.psql_bucket|--profile-name'|'profile setup ricordi.psql_bucket|-p') kind=any ;;
        'profile setup ricordi.psql_bucket|--broker') kind='words:none core.rabbitmq core.zeromq' ;;
        'profile setup ricordi.psql_bucket|--email') kind=any ;;
        'profile setup ricordi.psql_bucket|--first-name') kind=any ;;
        'profile setup ricordi.psql_bucket|--last-name') kind=any ;;
        'profile setup ricordi.psql_bucket|--institution') kind=any ;;
        'profile setup ricordi.psql_bucket|--database-hostname') kind=any ;;
        'profile setup ricordi.psql_bucket|--database-port') kind=any ;;
        'profile setup ricordi.psql_bucket|--database-username') kind=any ;;
        'profile setup ricordi.psql_bucket|--database-password') kind=any ;;
        'profile setup ricordi.psql_bucket|--database-name') kind=any ;;
        'profile setup ricordi.psql_bucket|--admin-uri') kind=any ;;
        'profile setup ricordi.psql_bucket|--endpoint-url') kind=any ;;
        'profile setup ricordi.psql_bucket|--bucket-name') kind=any ;;
        'profile setup ricordi.psql_bucket|--prefix') kind=any ;;
        'profile setup ricordi.psql_bucket|--region') kind=any ;;
        'profile setup ricordi.psql_bucket|--access-key-id') kind=any ;;
        'profile setup ricordi.psql_bucket|--secret-access-key') kind=any ;;
        'profile setup ricordi.psql_bucket|--credentials-profile') kind=any ;;
        'profile setup ricordi.psql_bucket|--cache-folder') kind=folder ;;
        'profile setup ricordi.psql_bucket|--cache-bytes') kind=any ;;
        'profile setup ricordi.psql_bucket|--config') kind=file ;;
        'profile setup ricordi.psql_bucket|--color') kind='words:always auto never' ;;
        'profile setup core.sqlite_zip|--profile-name'|'profile setup core.sqlite_zip|-p') kind=any ;;
        'profile setup core.sqlite_zip|--broker') kind='words:none core.rabbitmq core.zeromq' ;;
        'profile setup core.sqlite_zip|--email') kind=any ;;
        'profile setup core.sqlite_zip|--first-name') kind=any ;;
        'profile setup core.sqlite_zip|--last-name') kind=any ;;
        'profile setup core.sqlite_zip|--institution') kind=any ;;
        'profile setup core.sqlite_zip|--filepath') kind=file ;;
        'profile setup core.sqlite_zip|--config') kind=file ;;
        'profile setup core.sqlite_zip|--color') kind='words:always auto never' ;;
        'profile delete|--admin-uri') kind=any ;;
        'profile delete|--color') kind='words:always auto never' ;;
        'profile delete|') kind=profile ;;
        'profile dump|--groups'|'profile dump|-G') kind='*group' ;;
        'profile dump|--codes'|'profile dump|-X') kind='*any' ;;
        'profile dump|--computers'|'profile dump|-Y') kind='*computer' ;;
        'profile dump|--user'|'profile dump|-u') kind=user ;;
        'profile dump|--path') kind=file ;;
        'profile dump|--past-days'|'profile dump|-p') kind=any ;;
        'profile dump|--start-date') kind=any ;;
        'profile dump|--end-date') kind=any ;;
        'profile dump|--format') kind='words:table json jsonl csv yaml' ;;
        'profile dump|--color') kind='words:always auto never' ;;
        'storage info|--format') kind='words:table json jsonl csv yaml' ;;
        'storage info|--color') kind='words:always auto never' ;;
        'storage version|--format') kind='words:table json jsonl csv yaml' ;;
        'storage version|--color') kind='words:always auto never' ;;
        'storage migrate|--wait') kind=any ;;
        'storage migrate|--color') kind='words:always auto never' ;;
        'storage maintain|--repack') kind='words:auto all none' ;;
        'storage maintain|--max-waste') kind=any ;;
        'storage maintain|--compress') kind='words:auto yes no keep' ;;
        'storage maintain|--grace') kind=any ;;
        'storage maintain|--wait') kind=any ;;
        'storage maintain|--max-runtime') kind=any ;;
        'storage maintain|--format') kind='words:table json jsonl csv yaml logfmt html' ;;
        'storage maintain|--output-file'|'storage maintain|-O') kind=file ;;
        'storage maintain|--color') kind='words:always auto never' ;;
        'storage usage|--by') kind='words:type process group computer user month file size node' ;;
        'storage usage|--top') kind=any ;;
        'storage usage|--only') kind=any ;;
        'storage usage|--format') kind='words:table json jsonl csv yaml' ;;
        'storage usage|--color') kind='words:always auto never' ;;
        'storage usage|') kind=node ;;
        'storage index list|--format') kind='words:table json jsonl csv yaml' ;;
        'storage index list|--color') kind='words:always auto never' ;;
        'storage index add|--color') kind='words:always auto never' ;;
        'storage index add|') kind=any ;;
        'storage index drop|--color') kind='words:always auto never' ;;
        'storage index drop|') kind=any ;;
        'storage index suggest|--format') kind='words:table json jsonl csv yaml' ;;
        'storage index suggest|--color') kind='words:always auto never' ;;
        'storage report|--output-file'|'storage report|-O') kind=file ;;
        'storage report|--color') kind='words:always auto never' ;;
        'storage verify|--subset') kind=any ;;
        'storage verify|--backup') kind=file ;;
        'storage verify|--wait') kind=any ;;
        'storage verify|--max-runtime') kind=any ;;
        'storage verify|--format') kind='words:table json jsonl csv yaml' ;;
        'storage verify|--color') kind='words:always auto never' ;;
        'storage backup|--tag') kind=any ;;
        'storage backup|--keep') kind=any ;;
        'storage backup|--keep-last') kind=any ;;
        'storage backup|--keep-hourly') kind=any ;;
        'storage backup|--keep-daily') kind=any ;;
        'storage backup|--keep-weekly') kind=any ;;
        'storage backup|--keep-monthly') kind=any ;;
        'storage backup|--keep-yearly') kind=any ;;
        'storage backup|--wait') kind=any ;;
        'storage backup|--max-runtime') kind=any ;;
        'storage backup|--format') kind='words:table json jsonl csv yaml' ;;
        'storage backup|--color') kind='words:always auto never' ;;
        'storage backup|') kind=file ;;
        'storage snapshots|--format') kind='words:table json jsonl csv yaml' ;;
        'storage snapshots|--color') kind='words:always auto never' ;;
        'storage snapshots|') kind=file ;;
        'storage forget|--tag') kind=any ;;
        'storage forget|--keep') kind=any ;;
        'storage forget|--keep-last') kind=any ;;
        'storage forget|--keep-hourly') kind=any ;;
        'storage forget|--keep-daily') kind=any ;;
        'storage forget|--keep-weekly') kind=any ;;
        'storage forget|--keep-monthly') kind=any ;;
        'storage forget|--keep-yearly') kind=any ;;
        'storage forget|--wait') kind=any ;;
        'storage forget|--format') kind='words:table json jsonl csv yaml' ;;
        'storage forget|--color') kind='words:always auto never' ;;
        'storage forget|') kind=file ;;
        'storage restore|--of') kind=any ;;
        'storage restore|--storage') kind='words:core.sqlite_dos core.psql_dos' ;;
        'storage restore|--filepath') kind=folder ;;
        'storage restore|--broker') kind='words:none core.rabbitmq core.zeromq' ;;
        'storage restore|--database-hostname') kind=any ;;
        'storage restore|--database-port') kind=any ;;
        'storage restore|--database-username') kind=any ;;
        'storage restore|--database-password') kind=any ;;
        'storage restore|--database-name') kind=any ;;
        'storage restore|--admin-uri') kind=any ;;
        'storage restore|--repository-uri') kind=any ;;
        'storage restore|--config') kind=file ;;
        'storage restore|--wait') kind=any ;;
        'storage restore|--max-runtime') kind=any ;;
        'storage restore|--format') kind='words:table json jsonl csv yaml' ;;
        'storage restore|--color') kind='words:always auto never' ;;
        'storage restore|') kind=folder ;;
        'storage repair|--from') kind=any ;;
        'storage repair|--wait') kind=any ;;
        'storage repair|--format') kind='words:table json jsonl csv yaml' ;;
        'storage repair|--color') kind='words:always auto never' ;;
        'storage locks|--format') kind='words:table json jsonl csv yaml' ;;
        'storage locks|--color') kind='words:always auto never' ;;
        'storage unlock|--color') kind='words:always auto never' ;;
        'node list|--where') kind='*any' ;;
        'node list|--type'|'node list|--entry-point'|'node list|-e') kind='*type' ;;
        'node list|--group'|'node list|-G') kind='*group' ;;
        'node list|--computer'|'node list|-Y') kind='*computer' ;;
        'node list|--user'|'node list|-u') kind='*user' ;;
        'node list|--past-days'|'node list|-p') kind=any ;;
        'node list|--ancestor-of') kind=node ;;
        'node list|--descendant-of') kind=node ;;
        'node list|--project'|'node list|-P') kind='*field' ;;
        'node list|--order-by'|'node list|-O') kind=field ;;
        'node list|--order-direction'|'node list|-D') kind='words:asc desc' ;;
        'node list|--limit'|'node list|-l') kind=any ;;
        'node list|--format') kind='words:table json jsonl csv yaml' ;;
        'node list|--color') kind='words:always auto never' ;;
        'node show|--format') kind='words:table json jsonl csv yaml' ;;
        'node show|--color') kind='words:always auto never' ;;
        'node show|') kind=node ;;
        'node attributes|--keys'|'node attributes|-k') kind='*attribute' ;;
        'node attributes|--identifier'|'node attributes|-i') kind='words:pk uuid' ;;
        'node attributes|--format'|'node attributes|-f') kind='words:table json jsonl csv yaml json+date yaml_expanded' ;;
        'node attributes|--color') kind='words:always auto never' ;;
        'node attributes|') kind=node ;;
        'node extras show|--keys'|'node extras show|-k') kind='*extra' ;;
        'node extras show|--identifier'|'node extras show|-i') kind='words:pk uuid' ;;
        'node extras show|--format'|'node extras show|-f') kind='words:table json jsonl csv yaml json+date yaml_expanded' ;;
        'node extras show|--color') kind='words:always auto never' ;;
        'node extras show|') kind=node ;;
        'node extras set|--color') kind='words:always auto never' ;;
        'node extras set|') kind=node ;;
        'node extras unset|--keys'|'node extras unset|-k') kind='*extra' ;;
        'node extras unset|--color') kind='words:always auto never' ;;
        'node extras unset|') kind=node ;;
        'node logs|--levelname'|'node logs|-l') kind='words:NOTSET DEBUG INFO REPORT WARNING ERROR CRITICAL' ;;
        'node logs|--format') kind='words:table json jsonl csv yaml' ;;
        'node logs|--color') kind='words:always auto never' ;;
        'node logs|') kind=node ;;
        'node label|--label'|'node label|-L') kind=any ;;
        'node label|--format') kind='words:table json jsonl csv yaml' ;;
        'node label|--color') kind='words:always auto never' ;;
        'node label|') kind=node ;;
        'node description|--description'|'node description|-D') kind=any ;;
        'node description|--format') kind='words:table json jsonl csv yaml' ;;
        'node description|--color') kind='words:always auto never' ;;
        'node description|') kind=node ;;
        'node graph generate|--link-types'|'node graph generate|-l') kind='words:all data logic call' ;;
        'node graph generate|--ancestor-depth'|'node graph generate|-a') kind=any ;;
        'node graph generate|--descendant-depth'|'node graph generate|-d') kind=any ;;
        'node graph generate|--identifier') kind='*words:pk uuid label' ;;
        'node graph generate|--highlight-classes'|'node graph generate|-c') kind=any ;;
        'node graph generate|--engine'|'node graph generate|-e') kind=any ;;
        'node graph generate|--output-format'|'node graph generate|-f') kind=any ;;
        'node graph generate|--output-file'|'node graph generate|-O') kind=file ;;
        'node graph generate|--color') kind='words:always auto never' ;;
        'node graph generate|') kind=node ;;
        'node tree|--depth'|'node tree|-d') kind=any ;;
        'node tree|--direction') kind='words:out in' ;;
        'node tree|--link-types'|'node tree|-l') kind='words:all data logic call' ;;
        'node tree|--format') kind='words:table json jsonl csv yaml' ;;
        'node tree|--color') kind='words:always auto never' ;;
        'node tree|') kind=node ;;
        'node delete|--format') kind='words:table json jsonl csv yaml' ;;
        'node delete|--color') kind='words:always auto never' ;;
        'node delete|') kind=node ;;
        'node rehash|--entry-point'|'node rehash|-e') kind=type ;;
        'node rehash|--color') kind='words:always auto never' ;;
        'node rehash|') kind=node ;;
        'node comment add|--nodes'|'node comment add|-N') kind='*node' ;;
        'node comment add|--color') kind='words:always auto never' ;;
        'node comment add|') kind=any ;;
        'node comment show|--user'|'node comment show|-u') kind=user ;;
        'node comment show|--format') kind='words:table json jsonl csv yaml' ;;
        'node comment show|--color') kind='words:always auto never' ;;
        'node comment show|') kind=node ;;
        'node comment update|--color') kind='words:always auto never' ;;
        'node comment update|') kind=any ;;
        'node comment remove|--color') kind='words:always auto never' ;;
        'node comment remove|') kind=any ;;
        'node repo ls|--format') kind='words:table json jsonl csv yaml' ;;
        'node repo ls|') kind=node ;;
        'node repo cat|--color') kind='words:always auto never' ;;
        'node repo cat|') kind=node ;;
        'node repo dump|--color') kind='words:always auto never' ;;
        'node repo dump|') kind=node ;;
        'data core.array show|--format'|'data core.array show|-f') kind='words:table json jsonl csv yaml json+date yaml_expanded' ;;
        'data core.array show|--color') kind='words:always auto never' ;;
        'data core.array show|') kind=node ;;
        'data core.cif list|--groups'|'data core.cif list|-G') kind='*group' ;;
        'data core.cif list|--past-days'|'data core.cif list|-p') kind=any ;;
        'data core.cif list|--format') kind='words:table json jsonl csv yaml' ;;
        'data core.cif list|--color') kind='words:always auto never' ;;
        'data core.cif content|--color') kind='words:always auto never' ;;
        'data core.cif content|') kind=node ;;
        'data core.cif export|--format'|'data core.cif export|-F') kind=words:cif ;;
        'data core.cif export|--output'|'data core.cif export|-o') kind=file ;;
        'data core.cif export|--color') kind='words:always auto never' ;;
        'data core.cif export|') kind=node ;;
        'data core.dict show|--format'|'data core.dict show|-f') kind='words:table json jsonl csv yaml json+date yaml_expanded' ;;
        'data core.dict show|--color') kind='words:always auto never' ;;
        'data core.dict show|') kind=node ;;
        'data core.remote show|--format') kind='words:table json jsonl csv yaml' ;;
        'data core.remote show|--color') kind='words:always auto never' ;;
        'data core.remote show|') kind=node ;;
        'data core.singlefile content|--color') kind='words:always auto never' ;;
        'data core.singlefile content|') kind=node ;;
        'data core.structure list|--with-elements'|'data core.structure list|-e') kind='*any' ;;
        'data core.structure list|--formula-mode'|'data core.structure list|-f') kind='words:hill hill_compact reduce count count_compact group' ;;
        'data core.structure list|--groups'|'data core.structure list|-G') kind='*group' ;;
        'data core.structure list|--past-days'|'data core.structure list|-p') kind=any ;;
        'data core.structure list|--format') kind='words:table json jsonl csv yaml' ;;
        'data core.structure list|--color') kind='words:always auto never' ;;
        'data core.structure show|--format') kind='words:table json jsonl csv yaml' ;;
        'data core.structure show|--color') kind='words:always auto never' ;;
        'data core.structure show|') kind=node ;;
        'data core.structure export|--format'|'data core.structure export|-F') kind='words:cif xsf xyz' ;;
        'data core.structure export|--output'|'data core.structure export|-o') kind=file ;;
        'data core.structure export|--color') kind='words:always auto never' ;;
        'data core.structure export|') kind=node ;;
        'data core.trajectory list|--groups'|'data core.trajectory list|-G') kind='*group' ;;
        'data core.trajectory list|--past-days'|'data core.trajectory list|-p') kind=any ;;
        'data core.trajectory list|--format') kind='words:table json jsonl csv yaml' ;;
        'data core.trajectory list|--color') kind='words:always auto never' ;;
        'data core.trajectory export|--trajectory-index'|'data core.trajectory export|-i') kind=any ;;
        'data core.trajectory export|--format'|'data core.trajectory export|-F') kind='words:cif xsf' ;;
        'data core.trajectory export|--output'|'data core.trajectory export|-o') kind=file ;;
        'data core.trajectory export|--color') kind='words:always auto never' ;;
        'data core.trajectory export|') kind=node ;;
        'data core.upf export|--format'|'data core.upf export|-F') kind='words:upf json' ;;
        'data core.upf export|--output'|'data core.upf export|-o') kind=file ;;
        'data core.upf export|--color') kind='words:always auto never' ;;
        'data core.upf export|') kind=node ;;
        'data core.upf exportfamily|--color') kind='words:always auto never' ;;
        'data core.upf exportfamily|') kind=file ;;
        'data core.upf listfamilies|--with-elements'|'data core.upf listfamilies|-e') kind='*any' ;;
        'data core.upf listfamilies|--format') kind='words:table json jsonl csv yaml' ;;
        'data core.upf listfamilies|--color') kind='words:always auto never' ;;
        'group list|--user'|'group list|-u') kind=user ;;
        'group list|--type-string'|'group list|-T') kind=any ;;
        'group list|--past-days'|'group list|-p') kind=any ;;
        'group list|--startswith'|'group list|-s') kind=any ;;
        'group list|--endswith'|'group list|-e') kind=any ;;
        'group list|--contains'|'group list|-c') kind=any ;;
        'group list|--node'|'group list|-N') kind=node ;;
        'group list|--order-by'|'group list|-O') kind='words:id pk label ctime' ;;
        'group list|--order-direction'|'group list|-D') kind='words:asc desc' ;;
        'group list|--format') kind='words:table json jsonl csv yaml' ;;
        'group list|--color') kind='words:always auto never' ;;
        'group show|--limit'|'group show|-l') kind=any ;;
        'group show|--format') kind='words:table json jsonl csv yaml' ;;
        'group show|--color') kind='words:always auto never' ;;
        'group show|') kind=group ;;
        'group create|--description'|'group create|-d') kind=any ;;
        'group create|--color') kind='words:always auto never' ;;
        'group create|') kind=any ;;
        'group relabel|--color') kind='words:always auto never' ;;
        'group relabel|') kind=group ;;
        'group description|--format') kind='words:table json jsonl csv yaml' ;;
        'group description|--color') kind='words:always auto never' ;;
        'group description|') kind=group ;;
        'group add-nodes|--group'|'group add-nodes|-G') kind=group ;;
        'group add-nodes|--color') kind='words:always auto never' ;;
        'group add-nodes|') kind=node ;;
        'group remove-nodes|--group'|'group remove-nodes|-G') kind=group ;;
        'group remove-nodes|--color') kind='words:always auto never' ;;
        'group remove-nodes|') kind=node ;;
        'group move-nodes|--source-group'|'group move-nodes|-s') kind=group ;;
        'group move-nodes|--target-group'|'group move-nodes|-t') kind=group ;;
        'group move-nodes|--color') kind='words:always auto never' ;;
        'group move-nodes|') kind=node ;;
        'group copy|--color') kind='words:always auto never' ;;
        'group copy|') kind=group ;;
        'group delete|--user'|'group delete|-u') kind=user ;;
        'group delete|--type-string'|'group delete|-T') kind=any ;;
        'group delete|--past-days'|'group delete|-p') kind=any ;;
        'group delete|--startswith'|'group delete|-s') kind=any ;;
        'group delete|--endswith'|'group delete|-e') kind=any ;;
        'group delete|--contains'|'group delete|-c') kind=any ;;
        'group delete|--node'|'group delete|-N') kind=node ;;
        'group delete|--format') kind='words:table json jsonl csv yaml' ;;
        'group delete|--color') kind='words:always auto never' ;;
        'group delete|') kind=group ;;
        'group dump|--path') kind=file ;;
        'group dump|--past-days'|'group dump|-p') kind=any ;;
        'group dump|--start-date') kind=any ;;
        'group dump|--end-date') kind=any ;;
        'group dump|--format') kind='words:table json jsonl csv yaml' ;;
        'group dump|--color') kind='words:always auto never' ;;
        'group dump|') kind=group ;;
        'group path ls|--type-string'|'group path ls|-T') kind=any ;;
        'group path ls|--format') kind='words:table json jsonl csv yaml' ;;
        'group path ls|--color') kind='words:always auto never' ;;
        'group path ls|') kind=any ;;
        'process list|--process-state'|'process list|-S') kind='*words:created running waiting finished excepted killed' ;;
        'process list|--process-label'|'process list|-L') kind=process-label ;;
        'process list|--exit-status'|'process list|-E') kind=any ;;
        'process list|--past-days'|'process list|-p') kind=any ;;
        'process list|--group'|'process list|-G') kind=group ;;
        'process list|--project'|'process list|-P') kind='*words:pk uuid ctime mtime state process_state process_status exit_status exit_message sealed process_label label description node_type paused process_type job_state scheduler_state exception cached cached_from' ;;
        'process list|--order-by'|'process list|-O') kind='words:ctime id' ;;
        'process list|--order-direction'|'process list|-D') kind='words:asc desc' ;;
        'process list|--limit'|'process list|-l') kind=any ;;
        'process list|--format') kind='words:table json jsonl csv yaml' ;;
        'process list|--color') kind='words:always auto never' ;;
        'process show|--format') kind='words:table json jsonl csv yaml' ;;
        'process show|--color') kind='words:always auto never' ;;
        'process show|') kind=node ;;
        'process report|--indent-size'|'process report|-i') kind=any ;;
        'process report|--levelname'|'process report|-l') kind='words:NOTSET DEBUG INFO REPORT WARNING ERROR CRITICAL' ;;
        'process report|--max-depth'|'process report|-m') kind=any ;;
        'process report|--format') kind='words:table json jsonl csv yaml' ;;
        'process report|--color') kind='words:always auto never' ;;
        'process report|') kind=node ;;
        'process status|--max-depth'|'process status|-m') kind=any ;;
        'process status|--format') kind='words:table json jsonl csv yaml' ;;
        'process status|--color') kind='words:always auto never' ;;
        'process status|') kind=node ;;
        'process call-root|--format') kind='words:table json jsonl csv yaml' ;;
        'process call-root|--color') kind='words:always auto never' ;;
        'process call-root|') kind=node ;;
        'process dump|--path') kind=file ;;
        'process dump|--format') kind='words:table json jsonl csv yaml' ;;
        'process dump|--color') kind='words:always auto never' ;;
        'process dump|') kind=node ;;
        'calcjob inputls|--format') kind='words:table json jsonl csv yaml' ;;
        'calcjob inputls|') kind=node ;;
        'calcjob inputcat|--color') kind='words:always auto never' ;;
        'calcjob inputcat|') kind=node ;;
        'calcjob outputls|--format') kind='words:table json jsonl csv yaml' ;;
        'calcjob outputls|') kind=node ;;
        'calcjob outputcat|--color') kind='words:always auto never' ;;
        'calcjob outputcat|') kind=node ;;
        'calcjob res|--keys'|'calcjob res|-k') kind='*any' ;;
        'calcjob res|--format'|'calcjob res|-f') kind='words:table json jsonl csv yaml json+date yaml_expanded' ;;
        'calcjob res|--color') kind='words:always auto never' ;;
        'calcjob res|') kind=node ;;
        'code list|--computer'|'code list|-Y') kind=computer ;;
        'code list|--default-calc-job-plugin'|'code list|-d') kind=any ;;
        'code list|--project'|'code list|-P') kind='*words:full_label entry_point pk uuid label default_calc_job_plugin computer user' ;;
        'code list|--format') kind='words:table json jsonl csv yaml' ;;
        'code list|--color') kind='words:always auto never' ;;
        'code show|--format') kind='words:table json jsonl csv yaml' ;;
        'code show|--color') kind='words:always auto never' ;;
        'code show|') kind=code ;;
        'code export|--color') kind='words:always auto never' ;;
        'code export|') kind=code ;;
        'computer list|--format') kind='words:table json jsonl csv yaml' ;;
        'computer list|--color') kind='words:always auto never' ;;
        'computer show|--format') kind='words:table json jsonl csv yaml' ;;
        'computer show|--color') kind='words:always auto never' ;;
        'computer show|') kind=computer ;;
        'computer setup|--label'|'computer setup|-L') kind=any ;;
        'computer setup|--hostname'|'computer setup|-H') kind=any ;;
        'computer setup|--description'|'computer setup|-D') kind=any ;;
        'computer setup|--transport'|'computer setup|-T') kind='words:core.local core.ssh core.ssh_async' ;;
        'computer setup|--scheduler'|'computer setup|-S') kind='words:core.direct core.lsf core.pbspro core.sge core.slurm core.torque' ;;
        'computer setup|--work-dir'|'computer setup|-w') kind=any ;;
        'computer setup|--shebang') kind=any ;;
        'computer setup|--mpirun-command'|'computer setup|-m') kind=any ;;
        'computer setup|--mpiprocs-per-machine') kind=any ;;
        'computer setup|--default-memory-per-machine') kind=any ;;
        'computer setup|--prepend-text') kind=any ;;
        'computer setup|--append-text') kind=any ;;
        'computer setup|--config') kind=file ;;
        'computer setup|--color') kind='words:always auto never' ;;
        'computer duplicate|--label'|'computer duplicate|-L') kind=any ;;
        'computer duplicate|--hostname'|'computer duplicate|-H') kind=any ;;
        'computer duplicate|--description'|'computer duplicate|-D') kind=any ;;
        'computer duplicate|--transport'|'computer duplicate|-T') kind='words:core.local core.ssh core.ssh_async' ;;
        'computer duplicate|--scheduler'|'computer duplicate|-S') kind='words:core.direct core.lsf core.pbspro core.sge core.slurm core.torque' ;;
        'computer duplicate|--work-dir'|'computer duplicate|-w') kind=any ;;
        'computer duplicate|--shebang') kind=any ;;
        'computer duplicate|--mpirun-command'|'computer duplicate|-m') kind=any ;;
        'computer duplicate|--mpiprocs-per-machine') kind=any ;;
        'computer duplicate|--default-memory-per-machine') kind=any ;;
        'computer duplicate|--prepend-text') kind=any ;;
        'computer duplicate|--append-text') kind=any ;;
        'computer duplicate|--config') kind=file ;;
        'computer duplicate|--color') kind='words:always auto never' ;;
        'computer duplicate|') kind=computer ;;
        'computer configure show|--user'|'computer configure show|-u') kind=user ;;
        'computer configure show|--format') kind='words:table json jsonl csv yaml' ;;
        'computer configure show|--color') kind='words:always auto never' ;;
        'computer configure show|') kind=computer ;;
        'computer configure core.local|--safe-interval') kind=any ;;
        'computer configure core.local|--user'|'computer configure core.local|-u') kind=user ;;
        'computer configure core.local|--config') kind=file ;;
        'computer configure core.local|--color') kind='words:always auto never' ;;
        'computer configure core.local|') kind=computer ;;
        'computer configure core.ssh|--username') kind=any ;;
        'computer configure core.ssh|--port'|'computer configure core.ssh|-P') kind=any ;;
        'computer configure core.ssh|--key-filename') kind=file ;;
        'computer configure core.ssh|--timeout') kind=any ;;
        'computer configure core.ssh|--proxy-jump') kind=any ;;
        'computer configure core.ssh|--proxy-command') kind=any ;;
        'computer configure core.ssh|--gss-auth') kind=any ;;
        'computer configure core.ssh|--gss-kex') kind=any ;;
        'computer configure core.ssh|--gss-deleg-creds') kind=any ;;
        'computer configure core.ssh|--gss-host') kind=any ;;
        'computer configure core.ssh|--key-policy') kind='words:RejectPolicy WarningPolicy AutoAddPolicy' ;;
        'computer configure core.ssh|--safe-interval') kind=any ;;
        'computer configure core.ssh|--user'|'computer configure core.ssh|-u') kind=user ;;
        'computer configure core.ssh|--config') kind=file ;;
        'computer configure core.ssh|--color') kind='words:always auto never' ;;
        'computer configure core.ssh|') kind=computer ;;
        'computer configure core.ssh_async|--host') kind=any ;;
        'computer configure core.ssh_async|--data-node-host') kind=any ;;
        'computer configure core.ssh_async|--max-io-allowed') kind=any ;;
        'computer configure core.ssh_async|--authentication-script') kind=file ;;
        'computer configure core.ssh_async|--backend') kind='words:asyncssh openssh' ;;
        'computer configure core.ssh_async|--safe-interval') kind=any ;;
        'computer configure core.ssh_async|--user'|'computer configure core.ssh_async|-u') kind=user ;;
        'computer configure core.ssh_async|--config') kind=file ;;
        'computer configure core.ssh_async|--color') kind='words:always auto never' ;;
        'computer configure core.ssh_async|') kind=computer ;;
        'computer test|--user'|'computer test|-u') kind=user ;;
        'computer test|--format') kind='words:table json jsonl csv yaml' ;;
        'computer test|--color') kind='words:always auto never' ;;
        'computer test|') kind=computer ;;
        'computer goto|--color') kind='words:always auto never' ;;
        'computer goto|') kind=computer ;;
        'computer enable|--color') kind='words:always auto never' ;;
        'computer enable|') kind=computer ;;
        'computer disable|--color') kind='words:always auto never' ;;
        'computer disable|') kind=computer ;;
        'computer relabel|--color') kind='words:always auto never' ;;
        'computer relabel|') kind=computer ;;
        'computer delete|--format') kind='words:table json jsonl csv yaml' ;;
        'computer delete|--color') kind='words:always auto never' ;;
        'computer delete|') kind=computer ;;
        'computer export setup|--color') kind='words:always auto never' ;;
        'computer export setup|') kind=computer ;;
        'computer export config|--user'|'computer export config|-u') kind=user ;;
        'computer export config|--color') kind='words:always auto never' ;;
        'computer export config|') kind=computer ;;
        'user list|--format') kind='words:table json jsonl csv yaml' ;;
        'user list|--color') kind='words:always auto never' ;;
        'user configure|--email') kind=user ;;
        'user configure|--first-name') kind=any ;;
        'user configure|--last-name') kind=any ;;
        'user configure|--institution') kind=any ;;
        'user configure|--config') kind=file ;;
        'user configure|--color') kind='words:always auto never' ;;
        'user set-default|--color') kind='words:always auto never' ;;
        'user set-default|') kind=user ;;
        'archive create|--nodes'|'archive create|-N') kind='*node' ;;
        'archive create|--groups'|'archive create|-G') kind='*group' ;;
        'archive create|--codes'|'archive create|-X') kind='*any' ;;
        'archive create|--computers'|'archive create|-Y') kind='*computer' ;;
        'archive create|--compress') kind=any ;;
        'archive create|--format') kind='words:table json jsonl csv yaml' ;;
        'archive create|--color') kind='words:always auto never' ;;
        'archive create|') kind=file ;;
        'archive import|--webpages'|'archive import|-w') kind='*any' ;;
        'archive import|--group'|'archive import|-G') kind=group ;;
        'archive import|--extras-mode-new') kind='words:import none' ;;
        'archive import|--extras-mode-existing'|'archive import|-e') kind='words:none keep_existing update_existing mirror' ;;
        'archive import|--comment-mode') kind='words:leave newest overwrite' ;;
        'archive import|--format') kind='words:table json jsonl csv yaml' ;;
        'archive import|--color') kind='words:always auto never' ;;
        'archive import|') kind=file ;;
        'archive info|--format') kind='words:table json jsonl csv yaml' ;;
        'archive info|--color') kind='words:always auto never' ;;
        'archive info|') kind=file ;;
        'archive version|--format') kind='words:table json jsonl csv yaml' ;;
        'archive version|--color') kind='words:always auto never' ;;
        'archive version|') kind=file ;;
        'archive migrate|--version') kind=any ;;
        'archive migrate|--color') kind='words:always auto never' ;;
        'archive migrate|') kind=file ;;
        'config list|--format') kind='words:table json jsonl csv yaml' ;;
        'config list|--color') kind='words:always auto never' ;;
        'config list|') kind=option ;;
        'config get|--format') kind='words:table json jsonl csv yaml' ;;
        'config get|--color') kind='words:always auto never' ;;
        'config get|') kind=option ;;
        'config show|--format') kind='words:table json jsonl csv yaml' ;;
        'config show|--color') kind='words:always auto never' ;;
        'config show|') kind=option ;;
        'config set|--color') kind='words:always auto never' ;;
        'config set|') kind=option ;;
        'config unset|--color') kind='words:always auto never' ;;
        'config unset|') kind=option ;;
        'shell|--interface'|'shell|-i') kind='words:ipython bpython' ;;
        'shell|--color') kind='words:always auto never' ;;
        'query|--limit'|'query|-l') kind=any ;;
        'query|--offset') kind=any ;;
        'query|--format') kind='words:table json jsonl csv yaml' ;;
        'query|--color') kind='words:always auto never' ;;
        'query|') kind=file ;;
        'presto|--profile-name'|'presto|-p') kind=any ;;
        'presto|--email') kind=any ;;
        'presto|--postgres-hostname') kind=any ;;
        'presto|--postgres-port') kind=any ;;
        'presto|--postgres-username') kind=any ;;
        'presto|--postgres-password') kind=any ;;
        'presto|--color') kind='words:always auto never' ;;
        'status|--count') kind='words:auto yes no' ;;
        'status|--max-age-full') kind=any ;;
        'status|--max-garbage') kind=any ;;
        'status|--max-age-backup') kind=any ;;
        'status|--format') kind='words:table json jsonl csv yaml logfmt prometheus nagios' ;;
        'status|--output-file'|'status|-O') kind=file ;;
        'status|--color') kind='words:always auto never' ;;
        'tour|--nodes') kind=any ;;
        'tour|--format') kind='words:table json jsonl csv yaml' ;;
        'tour|--color') kind='words:always auto never' ;;
        'completion|--color') kind='words:always auto never' ;;
        'completion|') kind='words:bash zsh fish' ;;
        *'|-p' | *'|--profile') kind=profile ;;
        *'|--archive') kind=file ;;
        *'|--verbosity') kind='words:NOTSET DEBUG INFO REPORT WARNING ERROR CRITICAL' ;;
    esac
}

# The words up to the cursor: bash has cut them at signs such as @ and :, which are joined here again, but not at =.
_ricordi_split() {
    local rest=${COMP_LINE:0:COMP_POINT} piece before='' i
    words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        piece=${COMP_WORDS[i]}
        if [[ ${#words[@]} -gt 0 && $rest != [[:space:]]* && $piece != = && $before != = ]]; then
            words[-1]+=$piece
        else
            words+=("$piece")
        fi
        rest=${rest#"${rest%%[![:space:]]*}"}
        ((i == COMP_CWORD)) && words[-1]=${words[-1]%"$piece"}$rest
        rest=${rest#"$piece"} before=$piece
    done
}

# Sets name to what stands for it in the line: after the quote $1, or where there is none. A label may hold $(...),
# which the shell would run. Fails for what cannot be said there.
_ricordi_quote() {
    case $1 in
        \") [[ $name == *!* && $- == *H* ]] && return 1 # which bash takes for history there, with or without \
            name=${name//\\/\\\\} name=${name//\"/\\\"} name=${name//\`/\\\`} name=${name//\$/\\\$} ;;
        \') local end="'\\''"; name=${name//\'/"$end"} ;;
        *) printf -v name %q "$name" ;;
    esac
}

# Names that the program lists: $1 is their kind, $2 the profile. Quoted as the line needs them, without what is before
# the last sign at which bash has cut.
_ricordi_names() {
    local start=${cur//\\/} breaks=${COMP_WORDBREAKS//[[:space:]\"\']/} quoted='' cut='' name
    [[ $start == [\"\']* ]] && quoted=${start:0:1} start=${start:1}
    [[ $quoted ]] || cut=${start%"${start##*[$breaks]}"} cut=${cut%@} # of the signs, @ alone begins the next word
    while IFS= read -r name; do
        name=${name#"$cut"}
        _ricordi_quote "$quoted" && COMPREPLY+=("$name")
    done < <("${words[0]}" _names "$1" "$start" "$2" 2>/dev/null)
}

_ricordi() {
    local cur path='' word kind='' named='' subs opts i
    local -a words
    local -i skip=0
    _ricordi_split
    cur=${words[-1]}
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        word=${words[i]}
        if [[ $word == -* ]]; then
            _ricordi_value "$path" "$word"
            skip=$((${#kind} > 0))
            continue
        elif ((skip)); then
            [[ $word == = ]] && continue
            [[ $kind == profile ]] && named=$word
            [[ $kind == \** ]] || skip=0 # several values may follow
            continue
        fi
        _ricordi_words "$path"
        [[ " $subs " == *" $word "* ]] && path="${path:+$path }$word"
    done
    COMPREPLY=()
    [[ $cur == = ]] && cur=''
    _ricordi_words "$path"
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$opts" -- "$cur")
        return
    elif ((!skip)); then
        if [[ -n $subs ]]; then
            mapfile -t COMPREPLY < <(compgen -W "$subs" -- "$cur")
            return
        fi
        _ricordi_value "$path" ''
    fi
    kind=${kind#\*}
    case $kind in
        words:*) mapfile -t COMPREPLY < <(compgen -W "${kind#words:}" -- "$cur") ;;
        file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
        folder) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
        any | '') ;;
        *) _ricordi_names "$kind" "$named" ;;
    esac
}

complete -F _ricordi ricordi
