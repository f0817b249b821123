"""An open-source grader for programming assignments with free-text questions."""

__version__ = "0.1.0"
