//! The window as a person sees it.

use mizzen_tests::desktop::Desktop;

#[test]
fn the_page_is_drawn() {
    let desktop = Desktop::new();
    let page = desktop.launch_driven();
    page.wait_for_text("Mizzen");
}
