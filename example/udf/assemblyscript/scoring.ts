// The scoring function in AssemblyScript.
//
//     npm install assemblyscript@0.28.20
//     npx asc scoring.ts -O3 --runtime stub -o scoring.wasm

const rates: StaticArray<f64> = [1.0, 1.05, 1.1, 1.25];

export function score(price: f64, quantity: f64, bonus: i32): f64 {
  let sum: f64 = 0, weight: f64 = 1;
  const last = bonus < 0 ? 0 : bonus > 20 ? 20 : bonus;
  for (let i = 0; i <= last; i++) {
    sum += price * quantity * weight * rates[i % 4];
    weight /= 2;
  }
  return sum > 100 ? sum : sum / 2;
}
