"""cordinr: isotropic spinal cord MRI from two thick-slice views, one INR per subject and dimension."""

from snakemake.utils import min_version

# From 9.19 on pathvars such as <results> work; pyproject.toml has the ceiling.
min_version("9.19")


configfile: "config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/options.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/index.smk"
include: "workflow/rules/paths.smk"
include: "workflow/rules/scans.smk"
include: "workflow/rules/results.smk"
include: "workflow/rules/commands.smk"
include: "workflow/rules/hooks.smk"


# Before the other rules, to be what a plain `snakemake` makes.
rule all:
    """Everything: renderings, baselines, and where there is a reference metrics, figures and pages."""
    input:
        get_final_output(),
    localrule: True
    message:
        "Everything is made"


include: "workflow/rules/fetch.smk"
include: "workflow/rules/fit.smk"
include: "workflow/rules/render.smk"
include: "workflow/rules/baseline.smk"
include: "workflow/rules/costs.smk"
include: "workflow/rules/save.smk"


# Views that are simulated have a reference to compare with; acquired scans have to be aligned first.
if ACQUIRED:

    include: "workflow/rules/align.smk"
    include: "workflow/rules/check.smk"
    include: "workflow/rules/acquired_pages.smk"

else:

    include: "workflow/rules/simulate.smk"
    include: "workflow/rules/learn.smk"
    include: "workflow/rules/evaluate.smk"
    include: "workflow/rules/report.smk"
    include: "workflow/rules/pages.smk"


onstart:
    start_of_run()


onsuccess:
    end_of_good_run(log)


onerror:
    end_of_failed_run(log)
