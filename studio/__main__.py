"""`python -m studio`: the command, for environments whose scripts are not on the path."""

from studio.cli import main

main()
