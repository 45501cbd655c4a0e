/* A list: a query calls few functions. */
#include "plan/call_tally.h"

void fl_call_tally_init(fl_call_tally *tally)
{
    *tally = (fl_call_tally){0};
    pthread_mutex_init(&tally->lock, NULL);
}

void fl_call_tally_drop(fl_call_tally *tally)
{
    fl_free(tally->entries);
    tally->entries = NULL;
    tally->n = 0;
    pthread_mutex_destroy(&tally->lock);
}

void fl_call_tally_add(fl_call_tally *tally, const void *callee, const char *how, int64_t rows)
{
    int32_t i = 0;
    if (tally == NULL || rows == 0)
        return;
    pthread_mutex_lock(&tally->lock);
    while (i < tally->n && (tally->entries[i].callee != callee || strcmp(tally->entries[i].how, how) != 0))
        i++;
    if (i < tally->n)
        tally->entries[i].rows += rows;
    else if (fl_grow(NULL, (void **)&tally->entries, &tally->capacity, tally->n + 1, (int64_t)sizeof(*tally->entries),
                     NULL) == FL_OK)
        tally->entries[tally->n++] = (fl_call_tally_entry){callee, how, rows};
    pthread_mutex_unlock(&tally->lock);
}
