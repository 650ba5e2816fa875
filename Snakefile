"""cordinr: isotropic spinal cord MRI from two thick-slice views, one INR per subject and dimension."""

from snakemake.utils import min_version

min_version("9.19")


configfile: "config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/files.smk"
include: "workflow/rules/run.smk"
include: "workflow/rules/ablations.smk"


# Of all images that the index found; in a second run, without those that failed in the first.
EVERYTHING = [
    "<results>/metrics.tsv",
    "<results>/metrics.json",
    applied(metrics_files),
    "<results>/benchmarks.tsv",
    applied(cohort_figures),
    "<results>/cordinr/dataset_description.json",
    per_image(recon_images(BASELINES + INRS + VARIANTS)),
    per_image(finer_images(INRS)),
    per_image(image_figures()),
    "<results>/cordinr/index.html",
    applied(pages),
    ["<results>/datalad.json"] if DATALAD else [],
]


# Before the other rules, to be what a plain `snakemake` makes.
rule all:
    """Everything: renderings, baselines, the table of figures, the pictures."""
    input:
        EVERYTHING,
        applied(never_there),
    localrule: True
    message:
        "All results are there"


include: "workflow/rules/fetch.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/fit.smk"
include: "workflow/rules/render.smk"
include: "workflow/rules/baseline.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/pages.smk"
include: "workflow/rules/save.smk"


onsuccess:
    end_of_run(log, failed=False)


onstart:
    cancel_left_jobs()
    limit_reevaluation_timers(workflow.scheduler)


onerror:
    end_of_run(log, failed=True)
