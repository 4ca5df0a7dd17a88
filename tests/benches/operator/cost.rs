async fn idle(count: usize) {
    let project = Project::start().await;
    let (without, nothing) = (project.idle_memory().await, project.held_memory());
    let operator = project.operator().await;
    project.create(count).await;
    project.quiet().await;
    project.has(count).await;
    let worked = operator.memory();
    operator.stop();
    let (with, objects) = (project.idle_memory().await, project.held_memory());
    let each = |bytes: f64| bytes / count as f64 / 1024.0;
    let objects = each(objects - nothing);
    let kib = |bytes: f64| format!("{:.2} KiB", each(bytes) - objects);
    row(
        &format!("memory of an idle website besides the objects ({count} in one project)"),
        "< 2 KiB",
        &kib(with - without),
    );
    row(
        "the same in the process that has created them all",
        "",
        &kib(worked - without),
    );
    row(
        "memory of the objects: the website, and the metadata of its page",
        "",
        &format!("{objects:.2} KiB"),
    );
}

async fn life(count: usize) {
    let project = Project::start().await;
    let operator = project.operator().await;
    // Once to warm up.
    let mut cost = BTreeMap::new();
    for turn in ["first", "second"] {
        let before = operator.cpu();
        project.create(count).await;
        project.quiet().await;
        project.has(count).await;
        let created = operator.cpu();
        project.delete(count).await;
        project.quiet().await;
        project.has(0).await;
        let deleted = operator.cpu();
        let each = |ms: f64| ms / count as f64;
        cost.insert(turn, (each(created - before), each(deleted - created)));
    }
    operator.stop();
    let (create, delete) = cost["second"];
    row(
        "CPU for one create of the website",
        "< 0.4 ms",
        &format!("{create:.2} ms"),
    );
    row("CPU for one delete", "< 0.2 ms", &format!("{delete:.2} ms"));
}
