"""What a whole class hands over: gradebooks for the LMS, file names, figures and one page.

Everything here is pure: rows and clusters in, text out.
"""
