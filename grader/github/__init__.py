"""What happens on GitHub: the job's summary and annotations, and the pull request's one comment.

PyGithub, the `github` extra, is imported only by what talks to GitHub.
"""
