"""``python -m nerva_core`` is the command ``nerva``."""

from nerva_core.cli import main

if __name__ == "__main__":
    main()
