//! Images built by the engine.

use std::collections::BTreeMap;

use anyhow::Result;
use mizzen_docker::{BuildSpec, DockerErrorKind, TarBuilder};
use mizzen_tests::engine::{Rig, SHELL_IMAGE};

fn spec(rig: &Rig, dockerfile: &str) -> Result<BuildSpec> {
    let mut context = TarBuilder::new();
    context.file("images/Dockerfile", 0o644, (0, 0), dockerfile.as_bytes())?;
    context.file("note.txt", 0o644, (0, 0), b"note")?;
    Ok(BuildSpec {
        tag: format!("{}:1", rig.name()),
        context_tar: context.finish(),
        dockerfile: "images/Dockerfile".to_owned(),
        args: BTreeMap::from([("BASE".to_owned(), SHELL_IMAGE.to_owned())]),
        labels: rig.labels(),
        target: None,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_build_reports_its_steps_and_leaves_a_labelled_image() -> Result<()> {
    let rig = Rig::new().await?;
    let file = "ARG BASE\nFROM ${BASE}\nCOPY note.txt /\nRUN echo \"built with care\"\n";
    let build = spec(&rig, file)?;
    let tag = build.tag.clone();
    let mut seen = Vec::new();
    let id = rig
        .engine
        .build_image(build, |progress| seen.push(progress))
        .await?;
    // The label is the builder's own last step.
    let steps: Vec<_> = seen.iter().map(|p| (p.step, p.total)).collect();
    assert!(
        steps.is_sorted() && steps.last() == Some(&(5, 5)),
        "{seen:#?}"
    );
    assert!(
        seen.iter()
            .any(|p| p.step == 4 && p.line == "built with care"),
        "{seen:#?}"
    );

    let image = rig.engine.image(&tag).await?.expect("the image is there");
    assert_eq!(
        (image.id.as_str(), image.tags.as_slice()),
        (id.as_str(), std::slice::from_ref(&tag))
    );
    assert!(
        rig.labels()
            .iter()
            .all(|label| image.labels.iter().any(|l| l == label))
    );
    let listed = rig.engine.list_images(&rig.label()).await?;
    assert_eq!(
        listed.iter().map(|i| i.id.as_str()).collect::<Vec<_>>(),
        [id.as_str()]
    );
    rig.engine.remove_image(&tag).await?;
    rig.engine.remove_image(&tag).await?;
    assert_eq!(rig.engine.image(&tag).await?, None);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_failing_step_is_named_and_its_output_is_kept() -> Result<()> {
    let rig = Rig::new().await?;
    let file =
        "ARG BASE\nFROM ${BASE}\nRUN echo before && echo why >&2 && exit 9\nRUN echo after\n";
    let build = spec(&rig, file)?;
    let tag = build.tag.clone();
    let error = rig
        .engine
        .build_image(build, |_| ())
        .await
        .expect_err("it fails");
    let step = error.step.clone().unwrap_or_default();
    assert!(step.starts_with("Step 3/5 : RUN echo before"), "{step}");
    assert!(
        error.message.contains("non-zero code: 9"),
        "{}",
        error.message
    );
    assert!(
        error.log.contains("before\n") && error.log.contains("why\n"),
        "{}",
        error.log
    );
    assert!(error.hint().contains("log"), "{}", error.hint());
    assert_eq!(
        rig.engine.image(&tag).await?,
        None,
        "no half-made image is tagged"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_dockerfile_that_cannot_be_read_fails_before_any_step() -> Result<()> {
    let rig = Rig::new().await?;
    let error = rig
        .engine
        .build_image(spec(&rig, "FRUM x\n")?, |_| ())
        .await
        .expect_err("nonsense");
    assert_eq!(error.step, None);
    assert_eq!(error.kind, DockerErrorKind::BadRequest, "{error}");
    Ok(())
}
