/* Descriptors of users' functions. Their types are the declaration's: there is one form, to which arguments are cast. */
#include "udf/function.h"

#include "arrow/type.h"
#include "base/hash.h"
#include "base/text.h"
#include "udf/code_cache.h"
#include "udf/digest.h"

static const fl_udf *udf_of_func(const fl_func_desc *func)
{
    return (const fl_udf *)((const char *)func - offsetof(fl_udf, func));
}

static const fl_udf *udf_of_agg(const fl_agg_desc *agg)
{
    return (const fl_udf *)((const char *)agg - offsetof(fl_udf, agg));
}

static bool takes(const fl_udf *udf, const fl_type *args, int32_t n_args)
{
    bool is_good = n_args == udf->declaration.n_params;
    for (int32_t i = 0; i < n_args && is_good; i++) {
        int32_t cost;
        is_good = fl_cast_is_implicit(args[i], udf->declaration.params[i].type, &cost);
    }
    return is_good;
}

static fl_status fail_arguments(const fl_udf *udf, fl_err *err)
{
    return FL_FAIL(err, FL_ERR_FUNCTION, "no form of %.*s takes these arguments", FL_STR_ARG(udf->declaration.name));
}

static fl_status resolve(const fl_type *args, int32_t n_args, fl_func_choice *ret, fl_err *err)
{
    const fl_udf *udf = udf_of_func(ret->func);
    if (!takes(udf, args, n_args))
        return fail_arguments(udf, err);
    fl_status st = fl_udf_load(udf, &udf, err);
    if (st != FL_OK)
        return st;
    ret->func = &udf->func;
    for (int32_t i = 0; i < n_args; i++)
        ret->args[i] = udf->declaration.params[i].type;
    ret->n_args = n_args;
    ret->ret = udf->declaration.returns;
    ret->run = udf->run;
    return FL_OK;
}

static fl_status resolve_aggregate(const fl_type *args, int32_t n_args, fl_agg_choice *ret, fl_err *err)
{
    const fl_udf *udf = udf_of_agg(ret->agg);
    if (!takes(udf, args, n_args))
        return fail_arguments(udf, err);
    fl_status st = fl_udf_load(udf, &udf, err);
    if (st != FL_OK)
        return st;
    ret->agg = &udf->agg;
    for (int32_t i = 0; i < n_args; i++)
        ret->args[i] = udf->declaration.params[i].type;
    ret->n_args = n_args;
    ret->ret = udf->declaration.returns;
    ret->kernel = udf->kernel;
    return FL_OK;
}

static void free_udf(fl_func_owner *owner)
{
    fl_udf *udf = (fl_udf *)owner;
    fl_udf_unref(atomic_load(&udf->loaded));
    if (udf->loader == NULL && udf->language->unload != NULL)
        udf->language->unload(udf);
    fl_arena_drop(&udf->arena);
    fl_free(udf);
}

void fl_udf_unref(fl_udf *udf)
{
    if (udf != NULL && atomic_fetch_sub(&udf->owner.refs, 1) == 1)
        free_udf(&udf->owner);
}

static fl_status copy_declaration(fl_arena *arena, const fl_function_declaration *from, fl_function_declaration *ret,
                                  fl_err *err)
{
    fl_status st = FL_OK;
    fl_function_param *params = NULL;
    *ret = *from;
    FL_TRY(fl_arena_copy_str(arena, from->name, &ret->name, err));
    FL_TRY(fl_arena_copy_str(arena, from->language, &ret->language, err));
    FL_TRY(fl_arena_copy_str(arena, from->code, &ret->code, err));
    FL_TRY(fl_type_copy(arena, from->returns, &ret->returns, err));
    FL_TRY(FL_NEW_ARRAY(arena, from->n_params + 1, &params, err));
    for (int32_t i = 0; i < from->n_params; i++) {
        FL_TRY(fl_arena_copy_str(arena, from->params[i].name, &params[i].name, err));
        FL_TRY(fl_type_copy(arena, from->params[i].type, &params[i].type, err));
    }
    ret->params = params;
cleanup:
    return st;
}

/* What a call may do: told before the language says what it knows better. Whatever a function of a user's does, it may fail. */
static uint32_t traits_of(const fl_function_declaration *d)
{
    uint32_t traits = d->volatility == FL_FUNCTION_IMMUTABLE ? FL_PURE
                      : d->volatility == FL_FUNCTION_STABLE  ? FL_STABLE
                                                             : 0;
    traits |= d->takes_nulls ? FL_SETS_VALID : FL_NULL_GIVES_NULL | FL_GIVES_NULL;
    return d->errors_are_null ? traits : traits | FL_CAN_FAIL;
}

/* For messages: "f(x double) → double". */
static fl_status keep_signature(fl_udf *udf, fl_err *err)
{
    fl_text text;
    fl_str kept = {0};
    fl_text_init(&text, NULL);
    fl_text_add(&text, udf->declaration.name);
    fl_udf_print_signature(&text, udf);
    fl_status st = fl_text_status(&text, err);
    if (st == FL_OK)
        st = fl_arena_copy_str(&udf->arena, fl_text_str(&text), &kept, err);
    udf->func.signature = udf->agg.signature = kept.data;
    fl_text_drop(&text);
    return st;
}

/* What the declaration alone says of a function. */
static fl_status make(const fl_udf_language *language, const fl_function_declaration *declaration, void *environment,
                      fl_code_cache *cache, fl_metrics *metrics, fl_udf **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_udf *udf = NULL;
    FL_TRY(fl_alloc_zero(NULL, (int64_t)sizeof(*udf), (void **)&udf, err));
    udf->owner.free = free_udf;
    atomic_store(&udf->owner.refs, 1);
    fl_arena_init(&udf->arena, NULL);
    udf->language = language;
    udf->environment = environment;
    udf->cache = cache;
    udf->metrics = metrics;
    *ret = udf;
    FL_TRY(copy_declaration(&udf->arena, declaration, &udf->declaration, err));
    udf->func = (fl_func_desc){FL_DESC(fl_func_desc),
                               .name = udf->declaration.name.data,
                               .doc = "a function of a user's",
                               .traits = traits_of(declaration),
                               .resolve = resolve,
                               .ctx = udf};
    udf->agg = (fl_agg_desc){FL_DESC(fl_agg_desc),
                             .name = udf->declaration.name.data,
                             .doc = "an aggregate of a user's",
                             .skips_nulls = !declaration->takes_nulls,
                             .resolve = resolve_aggregate,
                             .ctx = udf};
cleanup:
    return st;
}

static void identify(fl_udf *udf)
{
    uint64_t identity = fl_hash_bytes(udf->hash, FL_UDF_HASH_BYTES) | 1; /* 0 is a name that says all */
    if (udf->declaration.fuel > 0)
        identity = fl_hash_combine(identity, (uint64_t)udf->declaration.fuel) | 1;
    udf->func.identity = udf->agg.identity = identity;
}

fl_status fl_udf_new(const fl_udf_language *language, const fl_function_declaration *declaration, void *environment,
                     fl_code_cache *cache, fl_metrics *metrics, fl_interrupt *interrupt, const fl_native_code *native,
                     fl_udf **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_udf *udf = NULL;
    FL_TRY(make(language, declaration, environment, cache, metrics, &udf, err));
    FL_TRY(fl_digest_sha256(udf->declaration.code, udf->hash, err));
    identify(udf);
    udf->native = native;
    udf->interrupt = interrupt;
    st = language->load(udf, err);
    udf->native = NULL;
    udf->interrupt = NULL;
    FL_TRY(st);
    FL_TRY(keep_signature(udf, err));
    FL_ASSERT(udf->declaration.is_aggregate ? udf->kernel != NULL : udf->run != NULL || udf->func.expand != NULL);
    *ret = udf;
    return FL_OK;
cleanup:
    fl_udf_unref(udf);
    return st;
}

/* ---- stored functions --------------------------------------------------------------------------------------------------- */

fl_status fl_udf_new_stored(const fl_udf_language *language, const fl_function_declaration *declaration,
                            const uint8_t hash[FL_UDF_HASH_BYTES], void *environment, fl_code_cache *cache,
                            fl_metrics *metrics, fl_udf_loader *loader, fl_str refusal, fl_udf **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_udf *udf = NULL;
    st = make(language, declaration, environment, cache, metrics, &udf, err);
    if (udf != NULL)
        udf->loader = loader; /* before anything fails: there is nothing to unload */
    FL_TRY(st);
    memcpy(udf->hash, hash, FL_UDF_HASH_BYTES);
    identify(udf);
    FL_TRY(fl_arena_copy_str(&udf->arena, refusal, &udf->refusal, err));
    FL_TRY(keep_signature(udf, err));
    *ret = udf;
    return FL_OK;
cleanup:
    fl_udf_unref(udf);
    return st;
}

/* Of versions whose code is in their own declaration. */
static fl_status fetch_own(fl_udf_loader *loader, const fl_udf *udf, char **ret, int64_t *ret_bytes, fl_err *err)
{
    fl_str code = udf->declaration.code;
    fl_status st = fl_alloc(NULL, code.len + 1, (void **)ret, err);
    (void)loader;
    if (st == FL_OK && code.len > 0)
        memcpy(*ret, code.data, (size_t)code.len);
    *ret_bytes = code.len;
    return st;
}

static fl_udf_loader own_loader = {PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP, fetch_own};

fl_status fl_udf_new_unloaded(const fl_udf *udf, fl_udf_loader *loader, fl_udf **ret, fl_err *err)
{
    fl_function_declaration d = udf->declaration;
    FL_ASSERT(udf->refusal.len == 0 && udf->version > 0);
    if (loader != NULL)
        d.code = (fl_str){0};
    fl_status st = fl_udf_new_stored(udf->language, &d, udf->hash, udf->environment, udf->cache, udf->metrics,
                                     loader != NULL ? loader : &own_loader, (fl_str){0}, ret, err);
    if (st != FL_OK)
        return st;
    (*ret)->version = udf->version;
    (*ret)->created_us = udf->created_us;
    return FL_OK;
}

void fl_udf_take_loaded(fl_udf *stored, fl_udf *made)
{
    FL_ASSERT(made->loader == NULL && memcmp(stored->hash, made->hash, FL_UDF_HASH_BYTES) == 0);
    if (stored->loader != NULL) {
        pthread_mutex_lock(&stored->loader->lock);
        if (atomic_load(&stored->loaded) == NULL && stored->refusal.len == 0) {
            made->version = stored->version;
            made->created_us = stored->created_us;
            atomic_store(&stored->loaded, made);
            made = NULL;
        }
        pthread_mutex_unlock(&stored->loader->lock);
    }
    fl_udf_unref(made);
}

/* Under the loader's lock. */
static fl_status load(fl_udf *udf, fl_err *err)
{
    fl_status st = FL_OK;
    char *code = NULL;
    fl_udf *loaded = NULL;
    fl_function_declaration whole = udf->declaration;
    FL_TRY(udf->loader->fetch(udf->loader, udf, &code, &whole.code.len, err));
    whole.code.data = code;
    FL_TRY(fl_udf_new(udf->language, &whole, udf->environment, udf->cache, udf->metrics, NULL, NULL, &loaded, err));
    if (memcmp(loaded->hash, udf->hash, FL_UDF_HASH_BYTES) != 0)
        FL_TRY(FL_FAIL(err, FL_ERR_CORRUPT, "its code is not what was deployed"));
    loaded->version = udf->version;
    loaded->created_us = udf->created_us;
    atomic_store(&udf->loaded, loaded);
    loaded = NULL;
cleanup:
    fl_udf_unref(loaded);
    fl_free(code);
    return st;
}

fl_status fl_udf_load(const fl_udf *shared, const fl_udf **ret, fl_err *err)
{
    fl_status st = FL_OK;
    fl_udf *udf = (fl_udf *)shared; /* what is loaded is all that changes of it */
    fl_err why = {0};
    if (udf->loader == NULL) {
        *ret = udf;
        return FL_OK;
    }
    if (atomic_load(&udf->loaded) == NULL && udf->refusal.len > 0)
        return FL_FAIL(err, FL_ERR_CORRUPT, "function %s is refused: %.*s", udf->func.name, FL_STR_ARG(udf->refusal));
    if (atomic_load(&udf->loaded) == NULL) {
        pthread_mutex_lock(&udf->loader->lock);
        if (udf->is_loading) {
            st = FL_FAIL(&why, FL_ERR_CORRUPT, "it calls itself");
        } else if (atomic_load(&udf->loaded) == NULL) {
            udf->is_loading = true;
            st = load(udf, &why);
            udf->is_loading = false;
        }
        pthread_mutex_unlock(&udf->loader->lock);
    }
    *ret = atomic_load(&udf->loaded);
    if (st == FL_OK)
        return FL_OK;
    if (st == FL_ERR_FUNCTION) { /* which callers take for arguments that do not fit */
        why.code = st = FL_ERR_CORRUPT;
        fl_err_state(&why, fl_status_sqlstate(st), st);
    }
    why.position = 0; /* of the function's own text */
    fl_err_prefix(&why, "function %s cannot be loaded: ", udf->func.name);
    if (err != NULL)
        *err = why;
    return st;
}

void fl_udf_print_signature(fl_text *text, const fl_udf *udf)
{
    const fl_function_declaration *d = &udf->declaration;
    fl_text_add_char(text, '(');
    for (int32_t i = 0; i < d->n_params; i++) {
        if (i > 0)
            fl_text_add(text, FL_STR(", "));
        if (d->params[i].name.len > 0)
            fl_text_addf(text, "%.*s ", FL_STR_ARG(d->params[i].name));
        fl_type_print(text, d->params[i].type);
    }
    fl_text_add(text, FL_STR(") → "));
    fl_type_print(text, d->returns);
}
