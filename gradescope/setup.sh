#!/usr/bin/env bash
# Gradescope runs this once, when it builds the autograder's image from the zip.
set -euo pipefail

root="${AUTOGRADER_ROOT:-/autograder}"

apt-get update
apt-get install --yes --no-install-recommends bubblewrap git python3-venv
python3 -m venv "$root/env"
"$root/env/bin/python" -m pip install --quiet "$root/source"

# Students' scripts run as this user, who can change neither the grader nor the results.
id student >/dev/null 2>&1 || useradd --create-home student
