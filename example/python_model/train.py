"""Trains a model of how far a car goes on a gallon, and writes it where functions may read it.

    train.py CARS.NDJSON FOLDER     makes FOLDER/mileage.pickle
"""

import json
import pathlib
import pickle
import sys

from sklearn.ensemble import GradientBoostingRegressor

FEATURES = ("Cylinders", "Displacement", "Horsepower", "Weight_in_lbs", "Acceleration")


def main():
    cars = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
    cars = [car for car in cars if all(car[name] is not None for name in (*FEATURES, "Miles_per_Gallon"))]
    model = GradientBoostingRegressor(random_state=1).fit(
        [[car[name] for name in FEATURES] for car in cars], [car["Miles_per_Gallon"] for car in cars])
    pathlib.Path(sys.argv[2], "mileage.pickle").write_bytes(pickle.dumps(model))


if __name__ == "__main__":
    main()
