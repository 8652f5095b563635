"""Run the command line: `python -m localmix.cli`."""

from localmix.cli import main

main()
