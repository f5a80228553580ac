#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Changed programs neither crash nor hang the compiler; see mutations.py.
exec python3 "$(dirname "$0")/mutations.py"
