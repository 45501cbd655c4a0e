/* Where statements end: quotes, names, comments and dollar quotes hide semicolons. */
#include "cli/scan.c"
#include "cli/split.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* Cuts the text; pieces that hold a statement are joined with '#'. */
static void check_split(const char *text, const char *wanted)
{
    char joined[400] = "";
    size_t len = strlen(text), out = 0;
    for (size_t at = 0; at < len;) {
        fl_cli_piece piece = fl_cli_split(text, len, at);
        assert_true(piece.next > at && piece.start <= piece.end && piece.end <= piece.next);
        if (!piece.is_empty) {
            if (out > 0)
                joined[out++] = '#';
            memcpy(joined + out, text + piece.start, piece.end - piece.start);
            out += piece.end - piece.start;
        }
        at = piece.next;
    }
    joined[out] = 0;
    assert_string_equal(joined, wanted);
}

static void cuts_at_semicolons(void **state)
{
    (void)state;
    check_split("a;b; ;\n;c", "a#b#c");
    check_split("", "");
    check_split(" -- only a comment; here\n/* and; */ ;", "");
    check_split("a -- b; c\nd; e", "a -- b; c\nd#e");
    check_split("a /* b; /* c; */ d; */ e; f", "a /* b; /* c; */ d; */ e#f");
}

static void passes_over_quotes(void **state)
{
    (void)state;
    check_split("'a;''b;';\"c;\"\"d\";e", "'a;''b;'#\"c;\"\"d\"#e");
    check_split("'a\\';b'", "'a\\'#b'");
    check_split("E'a\\';b';c", "E'a\\';b'#c");
    check_split("like'a\\';b", "like'a\\'#b"); /* the e belongs to a word */
    check_split("$$a;b$$;$t$c;$$;$t$;d", "$$a;b$$#$t$c;$$;$t$#d");
    check_split("$1;$2", "$1#$2");
    check_split("a$b$;c$b$", "a$b$#c$b$"); /* dollars within a name quote nothing */
}

static void says_what_is_open(void **state)
{
    (void)state;
    static const char *const open[] = {"select 'a;", "select \"a", "/* a", "$$a;", "select E'a\\'"};
    static const char *const whole[] = {"select 'a'", "-- a", "select $1", "/* a */"};
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
        assert_true(fl_cli_split(open[i], strlen(open[i]), 0).is_open);
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
        assert_false(fl_cli_split(whole[i], strlen(whole[i]), 0).is_open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_at_semicolons),
        cmocka_unit_test(passes_over_quotes),
        cmocka_unit_test(says_what_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
