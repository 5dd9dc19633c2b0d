//! The session image.

use mizzen_sessions::{OnProgress, Phase, PhaseReport, PhaseState};

use super::Desk;
use super::run::Done;
use crate::translate;
use crate::verb::ApiError;
use crate::view::ImageView;

impl Desk {
    pub(crate) async fn images(&self, engine: Option<&str>) -> Result<Vec<ImageView>, ApiError> {
        let engine = &self.engine(engine).await?;
        let own = match self.sessions.recipe(engine).await {
            Ok(recipe) => recipe.list(engine).await,
            Err(error) => Err(error),
        };
        let own = own.map_err(|error| translate::error(&error))?;
        let mut images: Vec<ImageView> = own
            .into_iter()
            .map(|image| ImageView {
                reference: image.fact.tags.first().unwrap_or(&image.fact.id).clone(),
                id: image.fact.id,
                engine: engine.name().to_owned(),
                size_bytes: image.fact.size_bytes,
                current: image.current,
            })
            .collect();
        images.sort_by(|a, b| {
            b.current
                .cmp(&a.current)
                .then_with(|| a.reference.cmp(&b.reference))
        });
        Ok(images)
    }

    pub(super) async fn build_image(
        &self,
        engine: Option<&str>,
        rebuild: bool,
        heard: OnProgress,
    ) -> Result<Done, ApiError> {
        let engine = &self.engine(engine).await?;
        let recipe = self
            .sessions
            .recipe(engine)
            .await
            .map_err(|error| translate::error(&error))?;
        let tag = recipe.tag();
        let building = self.sessions.building(engine);
        let _one_at_a_time = building.lock().await;
        let say = |state, message: String| {
            heard(&PhaseReport {
                phase: Phase::Image,
                state,
                message,
            });
        };
        say(PhaseState::Active, String::new());
        let mut built = false;
        let mut on_line = |progress: mizzen_docker::BuildProgress| {
            built = true;
            let line = mizzen_status::sanitise(&progress.line, mizzen_status::TEXT_CAP);
            say(
                PhaseState::Active,
                format!("{}/{} {line}", progress.step, progress.total),
            );
        };
        let made = if rebuild {
            recipe.build(engine, &mut on_line).await
        } else {
            recipe.ensure(engine, &mut on_line).await
        };
        match made {
            Ok(_) => say(PhaseState::Done, tag.clone()),
            Err(error) => {
                say(PhaseState::Failed, error.message.clone());
                return Err(translate::error(&error));
            }
        }
        let what = if built { "Built" } else { "There already:" };
        Ok(Done::saying(format!("{what} {tag}.")))
    }

    pub(super) async fn prune_images(&self, engine: Option<&str>) -> Result<Done, ApiError> {
        let engine = &self.engine(engine).await?;
        let pruned = match self.sessions.recipe(engine).await {
            Ok(recipe) => recipe.prune(engine).await,
            Err(error) => Err(error),
        };
        let removed = pruned.map_err(|error| translate::error(&error))?;
        Ok(Done::saying(match removed.len() {
            0 => "Nothing to remove.".to_owned(),
            1 => "Removed 1 image.".to_owned(),
            count => format!("Removed {count} images."),
        }))
    }
}
