#!/bin/sh
# A scikit-learn model where the data is: trained by Python, deployed as a function, asked in SQL beside what cars really do.
#
#     run.sh [FLETCH]      status 77 where scikit-learn or the plugin is missing
# Relies on: .deps/venv with scikit-learn, and .deps/data (tools/install-deps.sh test).
set -eu
cd "$(dirname "$0")/../.."
fletch=${1:-build/release/fletch}
python=.deps/venv/bin/python
cars=.deps/data/cars/cars.ndjson
"$python" -c 'import sklearn' 2>/dev/null || { echo "scikit-learn is not in .deps/venv"; exit 77; }
[ -e "$(dirname "$fletch")/fletch_python.so" ] || { echo "fletch_python.so is not built: there were no headers of Python"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

mkdir "$folder/models"
"$python" example/python_model/train.py "$cars" "$folder/models"
modules=$folder/models:$("$python" -c 'import pathlib, sklearn; print(pathlib.Path(sklearn.__file__).parent.parent)')
run() { "$fletch" --allow-python --python-path "$modules" --udf-dir "$folder/functions" "$@"; }

run udf deploy example/python_model/mileage.py --name mileage --language python \
    --signature '(cylinders double, displacement double, horsepower double, weight double, acceleration double) -> double'

run -c "
WITH told AS (
    SELECT \"Name\" AS name, \"Miles_per_Gallon\" AS mpg,
           mileage(\"Cylinders\", \"Displacement\", \"Horsepower\", \"Weight_in_lbs\", \"Acceleration\") AS predicted
    FROM '$cars' WHERE \"Miles_per_Gallon\" IS NOT NULL)
SELECT count(predicted) AS cars, round(avg(abs(mpg - predicted)), 2) AS mean_error, round(corr(mpg, predicted), 3) AS correlation
FROM told"
