#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# docs/passes.md is what `ksc --list-passes` says; with --update it is written anew.
set -eu

page=$KSC_SOURCE/docs/passes.md
made=$(mktemp)
trap 'rm -f "$made"' EXIT

{
  cat <<'HEAD'
# The passes

This page is made from `passes/pipeline.cc` by `tests/cli/passes_doc.sh --update`.

A pass takes a program of one language and gives one of the next. A language is the set of forms that a program may
use (`ir/forms.h` says what each means) and of rules that hold of it (`ir/check*.cc` checks them; `ir/lang.h` says of which only a part). Below
each pass stands what it changes in the language: a form that leaves (−), a form that comes (+), a rule that holds from
there on.

To see a pass at work: `ksc compile FILE.ks --dump-after=PASS --stop-after=PASS`, and
`--grammar-after=PASS` for the whole language. `tests/passes/PASS/` holds examples of each.
HEAD
  "$KSC" compile --list-passes | awk '
    /^[a-z]+:$/ {
      sub(":", "")
      title["trunk"] = "The trunk: for every target"
      title["ebpf"] = "The eBPF branch"
      title["user"] = "The userspace branch"
      printf "\n## %s\n\n| pass | what it does | forms | rule |\n|---|---|---|---|\n", title[$0] ? title[$0] : $0
      next
    }
    /^  [a-z]/ {
      name = $1
      about = $0
      sub(/^ +[a-z_]+ +/, "", about)
      gsub(/\|/, "\\|", about)
      next
    }
    {
      forms = ""
      rule = ""
      gone = come = 0
      for (i = 1; i <= NF; ++i) {
        if ($i == "+rule" || $i == "-rule") {
          rule = rule (rule ? ", " : "") ($i == "-rule" ? "not " : "") $(i + 1)
          ++i
        } else {
          form = $i
          if (form ~ /^-/) ++gone
          else ++come
          sub(/^-/, "−", form)
          forms = forms (forms ? " " : "") "`" form "`"
        }
      }
      # More than a reader takes in at once.
      if (gone + come > 20)
        forms = gone " forms of the source leave, " come " of typed programs come: `--grammar-after=" name "` shows them"
      printf "| `%s` | %s | %s | %s |\n", name, about, forms, rule
    }'
} >"$made"

if [[ ${1:-} == --update ]]; then
  cp "$made" "$page"
  chmod 644 "$page"
  exit 0
fi
if ! diff "$page" "$made"; then
  echo "docs/passes.md is not what the pipeline says: run KSC=… KSC_SOURCE=… tests/cli/passes_doc.sh --update"
  exit 1
fi
