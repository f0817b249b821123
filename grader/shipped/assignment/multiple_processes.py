"""Let several processes write to one shared database at the same time.

A process is a program that is running. This script starts a few of them, and each one
plays a pet clinic that adds its pets to the same SQLite database.

SQLite lets only one process write at a time. While a task is short, nobody notices.
Make the task longer, and the clinics begin to get in each other's way.

Everything used here comes with Python, so there is nothing to install.
"""

# The tools we need, all from Python's standard library.

import datetime
import logging
import multiprocessing
import os
import platform
import sqlite3
import sys
import time

# Decide how messages look. Each one shows its time and its level (INFO, ERROR, ...),
# so we can see afterwards what happened first and what went wrong.

logging.basicConfig(
    level=logging.INFO,
    format="%(asctime)s - %(levelname)s - %(message)s",
)

# Values that every function below may use. Python programmers write the names of such
# values in capital letters: once the script is running, nothing changes them.

# How long one insert keeps the database busy, in seconds.
# TODO: leave this at 0 for your first run, and set it to 3 for your second run.

TASK_DURATION_SECONDS = 0

# A line that sets one part of the output apart from the next.

DIVIDER = "=" * 70

# The file that holds the database. It appears in the folder you run the script from.

DB_NAME = "shared.db"


# ---------------------------------------------------------------------------
# Functions that prepare the database
# ---------------------------------------------------------------------------


def recreate_database() -> None:
    """Begin with an empty table: remove what an earlier run left, then build it again."""
    logging.info("Called recreate_database().")
    drop_table()
    create_table()


def create_table() -> None:
    """Create the table that holds the pets, with one column for each fact about a pet."""
    logging.info("Called create_table().")
    connection = sqlite3.connect(DB_NAME)
    connection.execute("CREATE TABLE pets (id INTEGER PRIMARY KEY, name TEXT, breed TEXT)")
    connection.commit()
    connection.close()
    logging.info("Table 'pets' is ready.")


def drop_table() -> None:
    """Remove the table and everything in it. Nothing happens if there is no table yet."""
    logging.info("Called drop_table().")
    connection = sqlite3.connect(DB_NAME)
    connection.execute("DROP TABLE IF EXISTS pets")
    connection.commit()
    connection.close()
    logging.info("Table 'pets' is gone.")


# ---------------------------------------------------------------------------
# The function that adds one pet
# ---------------------------------------------------------------------------


def insert_pet(process: str, name: str, breed: str) -> None:
    """Add one pet to the table, and keep the database busy while doing so.

    process: who is asking, for example P1
    name: what the pet is called
    breed: what kind of pet it is
    """
    logging.info(f"Called insert_pet() with process={process}, name={name}, breed={breed}.")
    connection = sqlite3.connect(DB_NAME)
    try:
        # The question marks are places for the values. Never paste values into SQL
        # text yourself: SQLite fills them in safely.
        connection.execute("INSERT INTO pets (name, breed) VALUES (?, ?)", (name, breed))

        # From here until the commit, the database is locked for everybody else.
        # A process that wants to write now has to wait. SQLite waits for about
        # five seconds, and then gives up with an error.
        time.sleep(TASK_DURATION_SECONDS)
        connection.commit()
    except sqlite3.OperationalError as error:
        logging.error(f"ERROR while {process} inserting pet {name}: {error}")
    finally:
        # Close the connection whether the insert worked or not.
        connection.close()


# ---------------------------------------------------------------------------
# What each process does
# ---------------------------------------------------------------------------


def process_one() -> None:
    """Add the pets of the first clinic, P1."""
    logging.info("Called process_one().")
    insert_pet("P1", "Ace", "Dog")
    insert_pet("P1", "Buddy", "Dog")


def process_two() -> None:
    """Add the pets of the second clinic, P2."""
    logging.info("Called process_two().")
    insert_pet("P2", "Cooper", "Rabbit")
    insert_pet("P2", "Dingo", "Dog")


def process_three() -> None:
    """Add the pets of the third clinic, P3."""
    logging.info("Called process_three().")
    insert_pet("P3", "Emma", "Rabbit")
    insert_pet("P3", "Felix", "Cat")


# ---------------------------------------------------------------------------
# The part that runs when you run this file. A new process may read this file
# again to learn its functions. The next line stops it from running this part too.
# ---------------------------------------------------------------------------

if __name__ == "__main__":
    logging.info(
        f"\n{DIVIDER}\n"
        "STARTING UP\n"
        f"  Date and time:      {datetime.datetime.now():%Y-%m-%d %H:%M}\n"
        f"  Operating system:   {os.name} {platform.system()} {platform.release()}\n"
        f"  Python version:     {platform.python_version()}\n"
        f"  Python interpreter: {sys.executable}\n"
        f"{DIVIDER}\n"
    )

    recreate_database()

    # Describe the processes first. Nothing runs yet.
    p1 = multiprocessing.Process(target=process_one)
    p2 = multiprocessing.Process(target=process_two)
    p3 = multiprocessing.Process(target=process_three)

    # Now let them go. They all run at the same time.
    p1.start()
    p2.start()
    p3.start()

    # Wait until each of them has finished.
    p1.join()
    p2.join()
    p3.join()

    # With short tasks nobody has to wait for long, so every insert works.
    if TASK_DURATION_SECONDS == 0:
        logging.info(
            "\nSUCCESS: all processes have finished and every pet is in the database.\n\n"
            "Now make the tasks longer: set TASK_DURATION_SECONDS to 3 and run this again.\n"
            "What happens when several processes want the same thing at the same time?\n"
            "How could they share it without getting in each other's way?\n"
        )
