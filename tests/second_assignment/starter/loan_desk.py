"""A library with four loan desks and one card file.

Every desk is a process of its own, and all of them write their loans into the same SQLite
database. Read the script, run it twice, and answer the questions in ANSWERS.md.
"""

import datetime
import multiprocessing
import sqlite3
import time

CARD_FILE = "cards.db"
LOAN_DAYS = 21

# How long a desk keeps the card file to itself. 0 is the quick run, 2 the slow one.
PAUSE_SECONDS = 0


def open_cards():
    """Connect to the card file; a desk waits half a second for it, then gives up."""
    return sqlite3.connect(CARD_FILE, timeout=0.5)


def clear_cards():
    """Throw away the loans of an earlier day."""
    cards = open_cards()
    cards.execute("DROP TABLE IF EXISTS loans")
    cards.close()


def make_cards():
    """Set up an empty table for the loans of today."""
    cards = open_cards()
    cards.execute("CREATE TABLE loans (desk TEXT, title TEXT, reader TEXT, due TEXT)")
    cards.close()


def lend_book(cards, desk, title, reader):
    """Write one loan on a card."""
    print(f"{desk} desk lends '{title}' to {reader}", flush=True)
    due = datetime.date.today() + datetime.timedelta(days=LOAN_DAYS)
    try:
        cards.execute("INSERT INTO loans VALUES (?, ?, ?, ?)", (desk, title, reader, str(due)))
    except sqlite3.OperationalError as error:
        print(f"{desk} desk keeps '{title}' back: {error}", flush=True)


def end_shift(cards):
    """Take a pause, then hand in the cards: only now may another desk write."""
    time.sleep(PAUSE_SECONDS)
    cards.commit()
    cards.close()


def north_desk():
    """Lend novels about far places."""
    cards = open_cards()
    lend_book(cards, "North", "Dune", "Mia")
    lend_book(cards, "North", "The Hobbit", "Omar")
    lend_book(cards, "North", "Kim", "Lena")
    end_shift(cards)


def east_desk():
    """Lend books for children."""
    cards = open_cards()
    lend_book(cards, "East", "Heidi", "Jonas")
    lend_book(cards, "East", "Pippi Longstocking", "Ava")
    lend_book(cards, "East", "Momo", "Mia")
    end_shift(cards)


def south_desk():
    """Lend old novels."""
    cards = open_cards()
    lend_book(cards, "South", "Emma", "Noor")
    lend_book(cards, "South", "Ivanhoe", "Tariq")
    lend_book(cards, "South", "Middlemarch", "Lena")
    end_shift(cards)


def west_desk():
    """Lend stories to be afraid of."""
    cards = open_cards()
    lend_book(cards, "West", "Dracula", "Omar")
    lend_book(cards, "West", "Frankenstein", "Ines")
    lend_book(cards, "West", "The Raven", "Noor")
    end_shift(cards)


if __name__ == "__main__":
    print(f"The library opens. Pause: {PAUSE_SECONDS} s", flush=True)
    clear_cards()
    make_cards()
    desks = [
        multiprocessing.Process(target=desk)
        for desk in (north_desk, east_desk, south_desk, west_desk)
    ]
    for desk in desks:
        desk.start()
    for desk in desks:
        desk.join()
    print("The library closes.", flush=True)
