/* What all the folders beside this one do, in C.
 *
 *     clang-19 --target=wasm32 -O2 -nostdlib -Wl,--no-entry,-s -o scoring.wasm scoring.c     # apt install clang-19 lld-19
 */
static const double rates[] = {1.0, 1.05, 1.1, 1.25};

__attribute__((export_name("score"))) double score(double price, double quantity, int bonus)
{
    double sum = 0, weight = 1;
    for (int i = 0; i <= (bonus < 0 ? 0 : bonus > 20 ? 20 : bonus); i++) {
        sum += price * quantity * weight * rates[i % 4];
        weight /= 2;
    }
    return sum > 100 ? sum : sum / 2;
}
