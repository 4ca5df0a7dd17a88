//! Texts of YAML, of which JSON is not a part to the letter.

use serde_json::{Value, json};

use super::support::Talk;

const PATH: &str = "/apis/{group}/v1/namespaces/{ns}/anythings";
const HEAD: &str = "apiVersion: {group}/v1\nkind: Anything\nmetadata: {name: one}\n";

async fn install(talk: &Talk) {
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    talk.install(json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "anythings.{group}"}, "spec": {
        "group": "{group}", "scope": "Namespaced", "names": {"plural": "anythings", "singular": "anything", "kind": "Anything"},
        "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
    }})).await;
}

/// Creates an object of a text, and applies it.
async fn read(talk: &mut Talk, text: &str) {
    let text = talk.fill(&format!("{HEAD}{text}"));
    talk.send_raw(
        "POST",
        &format!("{PATH}?dryRun=All"),
        &[("content-type", "application/yaml")],
        text.as_bytes(),
    )
    .await;
    let apply = [("content-type", "application/apply-patch+yaml")];
    talk.send_raw(
        "PATCH",
        &format!("{PATH}/one?dryRun=All&fieldManager=me"),
        &apply,
        text.as_bytes(),
    )
    .await;
}

async fn read_each(talk: &mut Talk, values: &[&str]) {
    for value in values {
        read(talk, &format!("v: {value}\n")).await;
    }
}

conformance! {
    async fn directives(talk: &mut Talk) {
        for directive in ["%YAML 1.1", "%TAG !a! tag:a,2000:", "%COLOR red", "%COLOR", "# a comment\n%YAML 1.1\n%COLOR red"] {
            let text = format!("{directive}\n---\nmetadata: {{name: one}}\n");
            talk.send_raw("POST", "/api/v1/namespaces/{ns}/configmaps?dryRun=All", &[("content-type", "application/yaml")], text.as_bytes()).await;
        }
    }

    async fn scalars(talk: &mut Talk) {
        install(talk).await;
        for line in [
            "y Y yes Yes YES yEs n N no No NO nO on On ON off Off OFF true True TRUE tRue false False FALSE",
            "~ null Null NULL nUll nan inf +.nan NaN = <<",
            "0 00 -0 +0 1 -1 +1 010 -010 +010 0o10 0O10 -0o10 0o8 09 08 0_1 1_000 1__0 1_ _1",
            "0x1F 0X1f -0x1f +0x1F 0x 0x_1 0xg 0b101 0B101 -0b101 0b 0b12 0o",
            "9223372036854775807 -9223372036854775808 0x7fffffffffffffff",
            "1.0 1.5 1. .5 -.5 +.5 . .. 1_0.5 .1_0 ._1 .e1 0.1 1e3 1E3 1e+3 1e-3 1.5e300 1e400 1e 1e+ e1 0x1p-2 -0.0 0.0",
            "2001-01-01 2001-1-1 2001-01-01T00:00:00Z 12:30:45 190:20:30.15 685_230.15 1.2.3",
            "'1' \"1\" \"yes\" 'null' \"~\" \"\" ''",
            r#""\x41" "\u0041" "\U0001F600" "\/" "\_" "\e" "\0" "\t" "\ ""#,
        ] {
            let list: String = line.split(' ').map(|scalar| format!("- {scalar}\n")).collect();
            read(talk, &format!("v:\n{list}")).await;
        }
    }

    async fn scalars_with_tags(talk: &mut Talk) {
        install(talk).await;
        let read_well = [
            "!!str 1", "!!str yes", "!!str ~", "!!str", "!!int 1", "!!int \"1\"", "!!int 0x10", "!!int 1_0", "!!float 1", "!!float \"1.5\"", "!!float 1_0", "!!bool yes", "!!bool \"true\"",
            "!!null ~", "!!null \"\"", "!!binary aGVsbG8=", "!!binary \"\"", "!!binary /w==", "!!timestamp 2001-01-01", "!!timestamp 2001-1-1T1:1:1Z",
            "!foo bar", "!foo 1", "!foo", "! 1", "! \"1\"", "!<foo> 7", "!<tag:yaml.org,2002:int> \"7\"", "!!seq a", "!!map [a]", "!!str [a]", "!!int {a: b}", "!!set {a: }",
        ];
        let list: String = read_well.map(|scalar| format!("- {scalar}\n")).concat();
        read(talk, &format!("v:\n{list}")).await;
        read_each(talk, &[
            "!!int a", "!!int 1.5", "!!int", "!!int 2001-01-01", "!!float a", "!!float", "!!bool x", "!!bool 1", "!!null x", "!!binary abc", "!!timestamp a", "!e!a 1", "!!float .inf",
        ]).await;
    }

    async fn numbers_that_json_has_not(talk: &mut Talk) {
        install(talk).await;
        read_each(talk, &[".nan", ".NaN", ".inf", "+.Inf", "-.INF", "[1, .nan]"]).await;
    }

    async fn keys(talk: &mut Talk) {
        install(talk).await;
        let read_well = [
            "1", "-1", "1.5", "16777217.0", "100000.0", "1234567.0", "0.00001", "1e20", "1e-7", "-0.5", "0x10", "true", "no", "2001-01-01", "\"2\"", "!!str 3", "!!float 4", "!!binary aGk=", ".inf", "-.inf", ".nan", "\"<<\"", "? a\n ",
        ];
        let fields: String = read_well.map(|key| format!("  {key}: b\n")).concat();
        read(talk, &format!("v:\n{fields}")).await;
        for key in ["~", "\"\"", "!!null \"\"", "18446744073709551615", "[a, 1]", "{a: b}", "? [a]\n ", "*x", "<<", "!!merge <<"] {
            read(talk, &format!("v:\n  {key}: b\n")).await;
        }
    }

    async fn merges_and_aliases(talk: &mut Talk) {
        install(talk).await;
        for text in [
            "x: &x {a: 1, b: 2}\nv: {<<: *x, b: 3}\n", "x: &x {a: 1, b: 2}\nv: {b: 3, <<: *x}\n", "x: &x {a: 1}\ny: &y {a: 2, b: 2}\nv: {<<: [*x, *y]}\n",
            "v: {<<: {a: 1}, c: 1}\n", "v: {<<: [{a: 1}, {b: 2}]}\n", "v: {<<: a}\n", "v: {<<: [a]}\n", "x: &x [a]\nv: {<<: *x}\n", "x: &x {<<: {a: 1}}\nv: {<<: *x}\n",
            "x: &x a\nv: *x\n", "x: &x a\nv: {*x : b}\n", "x: &x [a]\nv: [*x, *x]\n", "v: *x\n", "v: &x [*x]\n", "v: &x {<<: *x}\n", "x: &x a\ny: &x b\nv: *x\n", "x: &x\nv: *x\n",
        ] {
            read(talk, text).await;
        }
        for how in ["Strict", "Warn"] {
            let text = talk.fill(HEAD) + "x: &x {a: 1, b: 2, b: 3}\nv: {b: 3, <<: *x, 1: a, 1: b, yes: a, y: b}\nw: *x\n";
            let path = format!("{PATH}?dryRun=All&fieldValidation={how}");
            talk.send_raw("POST", &path, &[("content-type", "application/yaml")], text.as_bytes()).await;
        }
    }

    async fn texts_on_more_than_one_line(talk: &mut Talk) {
        install(talk).await;
        for text in [
            "v: |\n  a\n  b\n", "v: |-\n  a\n", "v: |+\n  a\n\n", "v: >\n  a\n  b\n\n  c\n", "v: |", "v: |\n  a", "v: >-\n  a", "v: |2\n   a\n", "v: a\n  b\n\n  c\n", "v: \"a\n  b\n\n  c\\\n  d\"\n", "v: 'a''\n  b'\n",
            "v: a # b\n", "v: a#b\n", "v: a:b\n", "v: -a\n", "v: ?a\n", "v: [a, b: c, {d, e: }, ]\n", "---\nv: a\n", "v: a\n...\nv: b\n", "v: a\n---\nv: [\n", "v: a\u{85}w: b\n", "v: \"a\u{85}  b\"\n",
        ] {
            read(talk, text).await;
        }
    }

    async fn what_is_no_yaml(talk: &mut Talk) {
        install(talk).await;
        read_each(talk, &[
            "%a", "@a", "`a", "-", "::", "a: b", "[a", "{a", "[a}", "]", "}", "|a\n", "\"a", "'a", "\"\\q\"", "\"\\x4\"", "\"\\ud83d\"", "*", "&", "a\nb", "a\n b: c", "\n  a: b\n c: d", "\n- a\n b", "[a]b", "\"a\" b", "!<a b", "|0\n",
        ]).await;
        read(talk, "v:\n\ta: b\n").await;
    }

    async fn json_as_yaml(talk: &mut Talk) {
        install(talk).await;
        let yaml = [("content-type", "application/yaml")];
        let apply = [("content-type", "application/apply-patch+yaml")];
        let head = talk.fill(r#"{"apiVersion": "{group}/v1", "kind": "Anything", "metadata": {"name": "one"}, "v": "#);
        let object = |v: &str| format!("{head}{v}}}");
        for v in ["[1.0, 1e3, 1.5, -0, 0.1, 1E-3]", "{\"1\": \"yes\", \"a\":1}", "{\"a\": 1, \"a\": 2}", "\"\\/\"", "\"a\u{85}b\"", "\t[1,\t2]"] {
            talk.send_raw("POST", &format!("{PATH}?dryRun=All"), &yaml, object(v).as_bytes()).await;
            talk.send_raw("PATCH", &format!("{PATH}/one?dryRun=All&fieldManager=me"), &apply, object(v).as_bytes()).await;
        }
    }

    async fn options_of_yaml(talk: &mut Talk) {
        let yaml = [("content-type", "application/yaml")];
        let map: Value = json!({"metadata": {"name": "one"}});
        talk.prepare("/api/v1/namespaces/{ns}/configmaps", map).await;
        for text in ["dryRun: [All]\npropagationPolicy: Orphan\n", "dryRun: [All]\norphanDependents: yes\n", "dryRun: [All]\ngracePeriodSeconds: 0x1\n", "dryRun: [All]\ngracePeriodSeconds: .inf\n", "dryRun: [All]\n~: a\n"] {
            talk.send_raw("DELETE", "/api/v1/namespaces/{ns}/configmaps/one", &yaml, text.as_bytes()).await;
        }
    }

    async fn comments_right_behind_something(talk: &mut Talk) {
        let yaml = [("content-type", "application/yaml")];
        for text in [
            "metadata: {name: \"a\"#b\n}\n", "metadata: {name: a}#c\n", "metadata:\n  name: \"a\"#b\n", "metadata: {name: 'a'#b\n}\n", "metadata: {name: [a]#c\n}\n",
            "metadata:\n  name: \"a\"#b: c\n", "metadata:\n  name: a\ndata:\n  b: \"x#y\"#z\n", "metadata:\n  name: a\ndata:\n  \"b\"#: c\n", "metadata:\n  name: 'a''s'#b\n",
            "metadata: {name: a, labels: {\"a\":\"b\"}#c\n, annotations: {\"\u{e4}\": \"\u{f6}\"#\u{fc}\n}}#\n", "metadata:\n  name: a#b\ndata: {\"a\": \"b\"#c\n",
        ] {
            talk.send_raw("POST", "/api/v1/namespaces/{ns}/configmaps?dryRun=All", &yaml, text.as_bytes()).await;
        }
    }
}
