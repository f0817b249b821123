"""

A shared pet database, and a few processes that all want to use it.

Each process stands for somebody at a front desk who types in new pets.
Every one of them opens the same SQLite file, adds a row, and closes it.

With quick tasks they hardly notice each other. With slow tasks they do.

Needs nothing but the standard library.

"""

# import what we need from the standard library

import sqlite3
import time
import multiprocessing
import os
import datetime
import platform
import sys

# where the data lives

db_file = "shared.db"

# how many seconds a task keeps hold of the database
#
#     first run:  0
#     second run: 3
#

task_duration = 0

# ---------------------------------------------
# define functions for the table
# ---------------------------------------------


def create_table():
    """Make the table."""

    conn = sqlite3.connect(db_file)
    cur = conn.cursor()

    sql = "CREATE TABLE IF NOT EXISTS pets (name TEXT, breed TEXT)"

    cur.execute(sql)
    conn.commit()
    conn.close()

    print("CREATED table pets.")


def drop_table():
    """Throw the table away."""

    conn = sqlite3.connect(db_file)
    cur = conn.cursor()

    sql = "DROP TABLE IF EXISTS pets"

    cur.execute(sql)
    conn.commit()
    conn.close()

    print("DELETED table pets.")


# ---------------------------------------------
# define the function for one record
# ---------------------------------------------


def insert_pet(process, name, breed):
    """Add a row, slowly if we are told to."""

    print(f"{process} getting ready to insert {name} the {breed}.")

    conn = sqlite3.connect(db_file)
    cur = conn.cursor()

    sql = "INSERT INTO pets (name, breed) VALUES (?, ?)"

    cur.execute(sql, (name, breed))
    time.sleep(task_duration)
    conn.commit()
    conn.close()

    print(f"{process} ADDED {name} the {breed}.")


# ---------------------------------------------
# define what each process does
# ---------------------------------------------


def process_one():
    insert_pet("P1", "Ace", "Dog")
    insert_pet("P1", "Buddy", "Dog")


def process_two():
    insert_pet("P2", "Cooper", "Rabbit")
    insert_pet("P2", "Dingo", "Dog")


def process_three():
    insert_pet("P3", "Emma", "Rabbit")
    insert_pet("P3", "Felix", "Cat")


# ---------------------------------------------
# define how to start over
# ---------------------------------------------


def recreate_database():
    """Start over with an empty table."""

    drop_table()
    create_table()
    print()


# ---------------------------------------------
# if this is the program being run, run it
# ---------------------------------------------


if __name__ == "__main__":

    # tell the reader where we are

    now = datetime.datetime.now()

    print()
    print("STARTING UP.....")
    print(f"Today is {now:%Y-%m-%d} and it is {now:%I:%M %p}")
    print()
    print(f"System:      {os.name} {platform.system()} {platform.release()}")
    print(f"Python:      {platform.python_version()}")
    print(f"Interpreter: {sys.executable}")
    print()

    recreate_database()

    # start the processes

    p1 = multiprocessing.Process(target=process_one)
    p2 = multiprocessing.Process(target=process_two)
    p3 = multiprocessing.Process(target=process_three)

    p1.start()
    p2.start()
    p3.start()

    # and wait for them

    p1.join()
    p2.join()
    p3.join()
