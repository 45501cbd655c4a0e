// The scoring function in TinyGo, whose modules are small. Nobody has tried this one: there was no TinyGo to build it with.
//
//	tinygo build -target=wasm-unknown -no-debug -opt=2 -o scoring.wasm scoring.go
package main

var rates = [4]float64{1, 1.05, 1.1, 1.25}

//go:wasmexport score
func score(price, quantity float64, bonus int32) float64 {
	sum, weight := 0.0, 1.0
	for i := int32(0); i <= min(max(bonus, 0), 20); i++ {
		sum += price * quantity * weight * rates[i%4]
		weight /= 2
	}
	if sum > 100 {
		return sum
	}
	return sum / 2
}

func main() {}
