# SPDX-License-Identifier: Apache-2.0
"""Random programs whose types and meanings are worked out here alone, from the rules of the language in docs/language.md."""
