/* Two models of a column, and the one that the sample speaks for.
 *
 * - All values are about as frequent. Then Duj1 of Haas & Stokes 1998 ("Estimating the number of classes in a finite
 *   population") is right, n d / (n − f1 + f1 n / N): exact for keys, good for clustered columns.
 * - Some are more frequent than others. Duj1 is too low then, by orders of magnitude for Zipf's law. The values' rates of
 *   occurrence in the sample are taken to come from a mixture of Poisson distributions, whose weights are fitted to the
 *   frequencies of frequencies by expectation-maximization (as Norris & Pollock 1998 do for species); each part of it
 *   says how many of its values were not seen. It begins with as many seen values of each rate and ends after a fixed
 *   number of rounds, which keeps it smooth.
 *
 * The mixture is believed where its likelihood is clearly better than that of a single rate. Values that were seen often count
 * as they are, and their rows are left out. */
#include "plan/distinct_estimate.h"

#include <math.h>

#define RATES 24
#define ROUNDS 200
#define CLEARLY_BETTER 6.0 /* in logarithms of likelihoods */
#define TINY 1e-300

void fl_frequencies_add(fl_frequencies *f, int64_t count)
{
    f->rows += count;
    if (count <= FL_FREQUENCY_MAX)
        f->times[count]++;
    else
        f->n_frequent++;
}

/* What is left without the frequent values. */
typedef struct rare_values {
    double seen;    /* values */
    double sampled; /* their rows in the sample */
    double rows;    /* their rows in the column */
    double times[FL_FREQUENCY_MAX + 1];
    double log_factorial[FL_FREQUENCY_MAX + 1];
} rare_values;

static double duj1(const rare_values *r)
{
    return r->sampled * r->seen / (r->sampled - r->times[1] + r->times[1] * r->sampled / r->rows);
}

/* Logarithm of the likelihood of the counts under one rate, given that the values were seen. */
static double single_rate_likelihood(const rare_values *r)
{
    double mean = r->sampled / r->seen, rate = mean / 2;
    for (double step = mean / 4; step > mean * 1e-9; step /= 2) /* rate / (1 − e^−rate), which rises, is the mean */
        rate += rate / -expm1(-rate) < mean ? step : -step;
    double sum = 0, log_seen = log(-expm1(-rate));
    for (int i = 1; i <= FL_FREQUENCY_MAX; i++)
        sum += r->times[i] * (i * log(rate) - rate - r->log_factorial[i] - log_seen);
    return sum;
}

static double mixture(const rare_values *r, double *ret_likelihood)
{
    double given_seen[RATES][FL_FREQUENCY_MAX + 1] = {{0}}; /* chance of a count, given that the value was seen */
    double seen_share[RATES], weight[RATES];                /* weight: of the seen values */
    double lowest = r->sampled / r->rows, likelihood = 0, ret = 0;
    for (int k = 0; k < RATES; k++) {
        double rate = lowest * pow(FL_FREQUENCY_MAX / lowest, (double)k / (RATES - 1));
        weight[k] = r->seen / RATES;
        if (k == 0) { /* values of one row are seen once or not at all */
            seen_share[k] = rate;
            given_seen[k][1] = 1;
            continue;
        }
        seen_share[k] = -expm1(-rate);
        for (int i = 1; i <= FL_FREQUENCY_MAX; i++)
            given_seen[k][i] = exp(i * log(rate) - rate - r->log_factorial[i]) / seen_share[k];
    }
    for (int round = 0; round < ROUNDS; round++) {
        double factor[RATES] = {0};
        likelihood = 0;
        for (int i = 1; i <= FL_FREQUENCY_MAX; i++) {
            double sum = TINY;
            if (r->times[i] == 0)
                continue;
            for (int k = 0; k < RATES; k++)
                sum += weight[k] * given_seen[k][i];
            for (int k = 0; k < RATES; k++)
                factor[k] += given_seen[k][i] * r->times[i] / sum;
            likelihood += r->times[i] * log(sum / r->seen);
        }
        for (int k = 0; k < RATES; k++)
            weight[k] *= factor[k];
    }
    for (int k = 0; k < RATES; k++)
        ret += weight[k] / seen_share[k];
    *ret_likelihood = likelihood;
    return ret;
}

double fl_distinct_estimate(const fl_frequencies *f, double rows)
{
    rare_values r = {0};
    for (int i = 1; i <= FL_FREQUENCY_MAX; i++) {
        r.times[i] = (double)f->times[i];
        r.seen += r.times[i];
        r.sampled += r.times[i] * i;
        r.log_factorial[i] = r.log_factorial[i - 1] + log(i);
    }
    double seen = r.seen + (double)f->n_frequent;
    if (r.seen == 0 || (double)f->rows >= rows)
        return seen;
    r.rows = rows * r.sampled / (double)f->rows;
    double mixed_likelihood, mixed = mixture(&r, &mixed_likelihood);
    bool is_mixed = mixed_likelihood - single_rate_likelihood(&r) > CLEARLY_BETTER;
    double ret = (double)f->n_frequent + (is_mixed ? mixed : duj1(&r));
    return fmin(fmax(ret, seen), rows);
}
