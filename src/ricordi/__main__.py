"""`python -m ricordi` is the command line."""

from ricordi.cli.main import main

if __name__ == '__main__':
    main()
