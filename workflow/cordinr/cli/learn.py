"""The verb that learns a prior from other people."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import Panel, verb
from .options import Device, Suffix, Threads

if TYPE_CHECKING:
    from ..prior.learning import LearningReport


@verb(Panel.STEPS, "sourcedata/cohort --exclude-subject sub-01 -o prior.safetensors")
def learn(
    datasets: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATASET",
            help="Raw BIDS datasets whose images are there to learn from, or results of the "
            "workflow, whose references are.",
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="Prior to write, .safetensors.")
    ],
    exclude_subject: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Subject to leave out of all datasets; repeatable."),
    ] = None,
    fold: Annotated[
        str | None,
        typer.Option(
            metavar="K/N",
            help="Leave out the K-th of N parts, into which all subjects are divided, by site "
            "where sites are known.",
        ),
    ] = None,
    steps: Annotated[int, typer.Option(min=1, metavar="N", help="Steps of learning.")] = 1600,
    batch: Annotated[int, typer.Option(min=1, metavar="N", help="Patches per step.")] = 16,
    rate: Annotated[
        float, typer.Option(min=1e-9, metavar="X", help="Learning rate at its highest.")
    ] = 0.0015,
    per_image: Annotated[
        int, typer.Option(min=1, metavar="N", help="Examples that are simulated of each image.")
    ] = 24,
    phantoms: Annotated[
        int, typer.Option(min=0, metavar="N", help="Phantoms to learn from as well.")
    ] = 20,
    start: Annotated[
        str | None,
        typer.Option(
            metavar="PRIOR",
            help="Go on from this prior, a file or `learned` for the one that comes with cordinr; "
            "who was in it is in the new one as well.",
        ),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.01, metavar="N", help="End learning after this time; not the same every time."
        ),
    ] = None,
    scores_of: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Prior that others were left out of, whose scores say how wide the standard "
            "error has to be; repeatable.",
        ),
    ] = None,
    score_left_out: Annotated[
        bool,
        typer.Option(
            "--score/--no-score", help="Reconstruct the people who are left out, or save the time."
        ),
    ] = True,
    dataset: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Name by which others know the dataset; default: that of its folder, and of "
            "results none.",
        ),
    ] = "",
    licence: Annotated[
        str, typer.Option(metavar="NAME", help="Licence of the images, to be noted in the file.")
    ] = "",
    suffix: Suffix = "T2w",
    device: Device = "auto",
    threads: Threads = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of all choices.")] = 0,
) -> None:
    """Learn a prior from the images of other people.

    Views of many kinds are simulated from each image, and a network learns what they do not show. A
    run that was stopped goes on where it was. People who are left out are reconstructed in the end,
    and the file says with what success, unless --no-score is given. No image may be reconstructed
    with a prior that has seen that person. The prior that comes with cordinr began at the settings
    that nobody gives, within a minute or two on a GPU; a CPU needs many hours for as much, and does
    better to go on from that one with --start.
    """
    import sys
    from dataclasses import asdict, replace

    from .. import __version__
    from ..errors import InputError
    from ..files import check_writable
    from ..inr.device import choose_device, use_threads
    from ..inr.sigterm import deferred_sigterm
    from ..prior.examples import make_examples
    from ..prior.folds import divide, refuse_learner, refuse_learners
    from ..prior.known import KnownViews
    from ..prior.learning import LearningSettings
    from ..prior.learning import learn as learn_network
    from ..prior.people import Learner
    from ..prior.prior_file import Prior, save_prior
    from ..prior.scores import calibration_of, score
    from ..prior.shipped import find_prior
    from .learners import (
        draw_phantoms,
        find_files,
        leave_out,
        load_references,
        read_scores,
        refuse_parts_of_one_person,
    )

    if output.suffix != ".safetensors":
        raise InputError(f"{output}: a prior is a .safetensors file; choose such a name.")
    check_writable(output)
    chosen = choose_device(device)
    use_threads(threads)
    begun = find_prior(start) if start else None
    scores = read_scores(scores_of or [])
    files = find_files(datasets, suffix, dataset)
    if exclude_subject or fold is not None:
        refuse_parts_of_one_person(datasets)
    kept, held_out = leave_out(files, exclude_subject or [])
    if fold is not None:
        number, count = _read_fold(fold)
        # Of all that there are, read or not: every call divides the same people in the same way.
        people = divide([file.learner for file in kept], count)[number - 1]
        kept, others = leave_out(kept, people)
        held_out += others
    if begun:
        for left_out in (file.learner for file in held_out):
            refuse_learner(begun, left_out.person, f"prior {start}", left_out.dataset)
    references = load_references(kept)
    refuse_learners([each.person for each in references])

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def say_examples(done: int, total: int) -> None:
        if done % 10 == 0 or done == total:
            say(f"examples {done}/{total}")

    say(f"learning from {len({each.person for each in references})} people")
    workers = threads or _count_cores()
    examples = make_examples(references, per_image, seed, workers=workers, report=say_examples)
    if phantoms:
        drawn = draw_phantoms(phantoms)
        examples += make_examples(drawn, 1, seed, workers=workers, report=say_examples)
        references += drawn
    settings = LearningSettings(
        steps=steps,
        batch=batch,
        learning_rate=rate,
        seed=seed,
        seconds=None if minutes is None else 60 * minutes,
    )
    done = 0

    def show(report: "LearningReport") -> None:
        nonlocal done
        done = report.step
        left = report.seconds / report.part * (1 - report.part)
        say(
            f"step {report.step}/{steps}  {report.gain:+.2f} dB over total variation on patches  "
            f"{left:.0f} s left"
        )

    checkpoint = output.with_name(f".{output.name}.partial")
    with deferred_sigterm() as is_stopped:
        network = learn_network(
            examples,
            settings,
            start=begun.network if begun else None,
            device=chosen,
            checkpoint=checkpoint,
            report=show,
            is_stopped=is_stopped,
        )
    learners = sorted(
        {Learner(each.person, each.dataset, each.site) for each in references}
        | set(begun.learners if begun else ()),
        key=lambda each: (each.dataset, each.person, each.site),
    )
    # What is known of a person who is left out here must not widen or narrow their own image.
    own = {file.learner.person for file in held_out}
    scores = [each for each in scores if each.person not in own]
    known = KnownViews.of(examples)
    if begun:
        known = known.joined(begun.known)
    prior = Prior(network, tuple(learners), known, calibration_of(scores))
    for reference in load_references(held_out if score_left_out else []):
        for found in score(reference, prior, chosen, done):
            say(f"{found.person} {found.scenario}  {found.gain:+.2f} dB over total variation")
            scores.append(found)
    record = {
        "licence": licence,
        "version": __version__,
        "steps": done,
        "batch": batch,
        "patch": settings.patch,
        "learning_rate": rate,
        "per_image": per_image,
        "phantoms": phantoms,
        "seed": seed,
        "examples": len(examples),
        "scores": [asdict(each) for each in scores],
    }
    if begun:
        record["start"] = dict(begun.record) | {"digest": begun.digest}
    save_prior(output, replace(prior, record=record))


def _read_fold(text: str) -> tuple[int, int]:
    """Read "K/N".

    Raises:
        InputError: it is none.
    """
    from ..errors import InputError

    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise InputError(f"--fold {text}: is no part; give K/N with K from 1 to N, such as 1/5.")
    return int(number), int(count)


def _count_cores() -> int:
    import os

    return os.cpu_count() or 1
