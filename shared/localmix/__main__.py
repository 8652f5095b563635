"""Run the command line: `python -m localmix`."""

from localmix.cli import main

main()
