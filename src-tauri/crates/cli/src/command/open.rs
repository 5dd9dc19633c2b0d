//! `mizzen open`: code-server, or a dev server, in the browser.

use mizzen_core::Client;
use mizzen_core::verb::ErrorCode;

use crate::args::Open;
use crate::output::{Failure, Output, failed};

pub(super) async fn run(client: &Client, args: &Open, output: Output) -> Result<(), Failure> {
    let url = client.launch_url(&args.session, args.port).await?;
    if output.json {
        return output.object(&serde_json::json!({ "url": url }));
    }
    if args.print {
        return output.line(&url);
    }
    open::that_detached(&url).map_err(|error| {
        let hint = "use `mizzen open --print` and open the address yourself";
        failed(
            ErrorCode::Failed,
            format!("no browser could be started: {error}"),
            hint,
        )
    })?;
    output.line(&format!("Opened {} in the browser.", args.session))
}
