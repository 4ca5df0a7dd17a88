//! What the JSONPaths of columns find in an object.

use serde_json::{Value, json};

use super::support::{Talk, thing_crd};

const THINGS: &str = "/apis/{group}/v1/namespaces/{ns}/things";
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

fn columns(columns: &[(&str, &str)]) -> Value {
    let columns = columns.iter().enumerate();
    let columns = columns.map(
        |(at, (kind, path))| json!({"name": format!("C{at}"), "type": kind, "jsonPath": path}),
    );
    Value::from_iter(columns)
}

async fn install(talk: &mut Talk, columns: Value) {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    talk.install(thing_crd(json!({
        "name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}, "additionalPrinterColumns": columns,
    })))
    .await;
    let spec = json!({
        "list": [{"n": 1, "s": "a", "on": true, "status": "x"}, {"n": 2, "s": "b", "on": false}, {"n": 3, "s": "c", "status": null}],
        "mixed": [{"n": 1.5, "s": "a"}, {"n": 2, "s": "b"}], "numbers": [1, 2, 3], "lists": [[1, 2], [3]], "empty": [],
        "map": {"only": "v"}, "deep": {"a": {"b": {"n": 7}}}, "text": "h\u{e9}llo", "none": "", "flag": true, "whole": 5, "float": 1.5, "tiny": 1e-7, "large": 1e21,
        "million": 1e6, "wholeFloat": 3.0, "nothing": null, "marks": {"a": "<&>"}, "quoted": "say \"hi\"", "date": "2020-01-02", "odd.key": "odd", "with space": "space",
    });
    let labels = json!({"example.com/a": "l"});
    let thing = json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": "one", "labels": labels}, "spec": spec});
    talk.prepare(THINGS, thing).await;
}

async fn show(talk: &mut Talk, found: &[(&str, &str)]) {
    install(talk, columns(found)).await;
    talk.get_picked(THINGS, &[("accept", TABLE)], |table| {
        let cells = table["rows"][0]["cells"].as_array();
        let paths = found.iter().map(|(kind, path)| format!("{kind} {path}"));
        let paths = std::iter::once("name".to_owned()).chain(paths);
        cells
            .into_iter()
            .flatten()
            .zip(paths)
            .map(|(cell, path)| json!([path, cell]))
            .collect()
    })
    .await;
}

fn texts<'p>(paths: &[&'p str]) -> Vec<(&'static str, &'p str)> {
    paths.iter().map(|path| ("string", *path)).collect()
}

conformance! {
    async fn columns_filter_lists(talk: &mut Talk) {
        show(talk, &texts(&[
            ".spec.list[?(@.n>1)].s", ".spec.list[?(@.n>=2)].s", ".spec.list[?(@.n<2)].s", ".spec.list[?(@.n<=1)].s", ".spec.list[?(@.n==2)].s", ".spec.list[?(@.n!=1)].s", ".spec.list[?(@.n>7)].s",
            ".spec.list[?(@.n > 1)].s", ".spec.list[?( @.n>1 )].s", ".spec.list[?(@.n>1.5)].s", ".spec.list[?(@.n>\"1\")].s", ".spec.list[?(@.n>-1)].s", ".spec.list[?(1<@.n)].s", ".spec.list[?(@.n=2)].s", ".spec.list[?(@.n<>2)].s",
            ".spec.list[?(@.s==\"b\")].n", ".spec.list[?(@.s=='b')].n", ".spec.list[?(@.s>\"a\")].n", ".spec.list[?(@.s!=\"a\")].n", ".spec.list[?(@.s==b)].n", ".spec.list[?(@.s==@.s)].s", ".spec.list[?(@.n==@.n)].s",
            ".spec.list[?(@.on==true)].s", ".spec.list[?(@.on==false)].s", ".spec.list[?(@.on)].s", ".spec.list[?(@.status)].s", ".spec.list[?(@.status==\"x\")].s", ".spec.list[?(@.none)].s", ".spec.list[?(@.none==1)].s", ".spec.list[?(@.none!=1)].s",
            ".spec.list[?(@)].s", ".spec.list[?(@.n>1)]", ".spec.list[?(@.n>1)][0]", ".spec.list[*][?(@.n>1)].s", ".spec.list.[?(@.n>1)].s", ".spec.mixed[?(@.n>1)].s", ".spec.mixed[?(@.n>1.0)].s", ".spec.mixed[?(@.n==2)].s",
            ".spec.numbers[?(@>1)]", ".spec.numbers[?(@==3)]", ".spec.map[?(@.only)]", ".spec.text[?(@.a)]", ".spec.nothing[?(@.a)]", ".spec.absent[?(@.a)]", ".spec.empty[?(@.a)].s", ".spec.lists[?(@[0]>1)]", ".spec.list[?(@.s==\"a)b\")].n", ".spec.list[?(@.s==\"b\")].n.more",
        ])).await;
    }

    async fn columns_take_parts_of_lists(talk: &mut Talk) {
        show(talk, &texts(&[
            ".spec.list[0].s", ".spec.list[-1].s", ".spec.list[0,1].s", ".spec.list[1,0].s", ".spec.list[ 1 , 0 ].s", ".spec.list[5,1].s", ".spec.list[1:].s", ".spec.list[:1].s", ".spec.list[0:2].s", ".spec.list[1:2].s", ".spec.list[-2:].s", ".spec.list[:-1].s",
            ".spec.list[::2].s", ".spec.list[1::2].s", ".spec.list[0:3:2].s", ".spec.list[0:3:0].s", ".spec.list[2:1].s", ".spec.list[5].s", ".spec.list[5:].s", ".spec.list[-5].s", ".spec.list[0:9].s", ".spec.list[1:1].s", ".spec.list[-1:0].s", ".spec.list[].s", ".spec.list[:].s", ".spec.list[*].s",
            ".spec.list.*.s", ".spec.list.s", ".spec.numbers[0,1]", ".spec.numbers[1:]", ".spec.numbers[*]", ".spec.numbers", ".spec.numbers[0]", ".spec.numbers.0", ".spec.lists[0]", ".spec.lists[*][1]", ".spec.lists[1][0]", ".spec.lists[0][0,1]", ".spec.lists[0:2][0]",
            ".spec.empty[0]", ".spec.empty[*]", ".spec.empty", ".spec.map.*", ".spec.map[*]", ".spec.map[0]", ".spec.text[0]", ".spec.nothing[0]", ".spec.nothing.*", ".spec.absent[0]", ".spec['text']", ".spec['odd.key']", ".spec['odd\\.key']", ".spec.odd\\.key", ".spec['text','none']", ".spec['text','none'].a",
            ".spec.with space", ".spec['with space']", ".metadata.labels.example\\.com/a", ".metadata.labels['example\\.com/a']", ".spec.deep..n", ".spec.deep..b", ".spec.deep..", ".spec..list[0].s", ".", ".spec.", ".spec.deep.*.b.n", ".spec.whole.more", ".spec.$.text", ".spec@.text", ".spec 7", ".spec \"a\"", ".spec true",
            ".}", ".spec.whole}", ".spec.absent}a", ".spec.whole}{.spec.text", ".spec.absent}{.spec.text", ".spec.list[*]}{.s",
        ])).await;
    }

    async fn columns_show_values_by_type(talk: &mut Talk) {
        let paths = [
            ".spec.text", ".spec.none", ".spec.flag", ".spec.whole", ".spec.float", ".spec.tiny", ".spec.large", ".spec.million", ".spec.wholeFloat", ".spec.nothing", ".spec.absent", ".spec.numbers", ".spec.map", ".spec.marks", ".spec.quoted", ".spec.date", ".spec.empty", ".spec.list[0].status", ".spec.list[2].status", ".spec.deep",
        ];
        let found: Vec<(&str, &str)> = ["string", "integer", "number", "boolean", "date"].iter().flat_map(|kind| paths.iter().map(|path| (*kind, *path))).collect();
        show(talk, &found).await;
    }

    async fn columns_end_at_a_path_that_is_none(talk: &mut Talk) {
        install(talk, columns(&[("string", ".spec.text"), ("integer", ".spec.whole"), ("string", ".spec[\"text\"]"), ("boolean", ".spec.flag")])).await;
        talk.send("GET", THINGS, &[("accept", TABLE)], None).await;
    }

    async fn columns_may_all_be_of_no_path(talk: &mut Talk) {
        install(talk, columns(&[("string", ".spec.list[?(@.n>1"), ("boolean", ".spec.flag")])).await;
        talk.send("GET", &format!("{THINGS}/one"), &[("accept", TABLE)], None).await;
    }

    async fn which_paths_can_be_read(talk: &mut Talk) {
        for (at, path) in [
            ".spec[", ".spec]", ".spec[a]", ".spec[\"text\"]", ".spec['text\"]", ".spec[?(@.a", ".spec[?(@.a]", ".spec[?(@.a)", ".spec[?()]", ".spec[?(@.a==)]", ".spec[?(@.a==\"b)]", ".spec[1.5]", ".spec[1,a]", ".spec[0:1:2:3]", ".spec{a", ".spec\n", ".spec(a)", ".spec#", "....", ".spec.\u{e4}", ".spec-a", ".spec -a", ".spec 1.2.3", ".spec \"a", ".spec 'a\\'", ".spec a",
            ".spec.*.*", ".spec[?(@.a==1)][?(@.b)]", ".range", ".spec}{end", ".spec}{range .list", ".spec}{range .list}{.s}{end",
        ].into_iter().enumerate() {
            let kind = format!("Thing{at}");
            let plural = format!("{}s", kind.to_lowercase());
            let mut crd = thing_crd(json!({
                "name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}, "additionalPrinterColumns": columns(&[("string", path)]),
            }));
            crd["metadata"]["name"] = format!("{plural}.{{group}}").into();
            crd["spec"]["names"] = json!({"kind": kind, "plural": plural, "singular": kind.to_lowercase(), "listKind": format!("{kind}List")});
            talk.install(crd).await;
            talk.get_picked(&format!("/apis/{{group}}/v1/namespaces/{{ns}}/{plural}"), &[("accept", TABLE)], |table| json!([path, table["columnDefinitions"].as_array().map(Vec::len)])).await;
        }
    }
}
