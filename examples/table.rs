//! The table at the end.

use kommodore::Result;

use crate::user::User;

/// Prints every website of every project, as the API servers have them.
pub(crate) async fn print_table(user: &User) -> Result<()> {
    let mut rows = vec![
        [
            "PROJECT",
            "WEBSITE",
            "READY",
            "REASON",
            "OBSERVED GENERATION",
        ]
        .map(String::from),
    ];
    for project in user.project_names().await? {
        for (name, website) in user.all_websites(&project).await? {
            let observed = website
                .observed
                .map_or("-".into(), |observed| observed.to_string());
            let observed = format!("{observed} of {}", website.generation);
            rows.push([
                project.clone(),
                name,
                website.ready,
                website.reason,
                observed,
            ]);
        }
    }
    println!();
    for [project, website, ready, reason, observed] in rows {
        println!("{project:<9} {website:<9} {ready:<7} {reason:<19} {observed}");
    }
    Ok(())
}
