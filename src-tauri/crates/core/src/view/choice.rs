//! The engines that a session could live on.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::EngineState;

/// A Docker context, or `default`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct EngineChoice {
    /// Its name.
    pub name: String,
    /// Where its engine listens; none when it cannot be used.
    pub endpoint: Option<String>,
    /// Its address where it is another machine's and speaks in the clear: it is used only where a person allows that.
    #[serde(default)]
    pub exposed: Option<String>,
    /// What selected it; none for all but one.
    pub selected_by: Option<String>,
    /// Whether Mizzen follows it; the others are put to use when a session names them.
    pub in_use: bool,
    /// Whether it answers; known of one in use.
    pub state: Option<EngineState>,
    /// Why it cannot be used, or does not answer.
    pub reason: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// What speaks against one that answers.
    #[serde(default)]
    pub warnings: Vec<String>,
}
