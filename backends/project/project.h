// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace ksc {

/// Whether the project's binary cannot be called like it: a file, a folder or a target of make has that name already.
bool is_taken_project(const std::string& project);
/// What the skeleton of the project's eBPF object is called.
std::string skeleton_name(const std::string& project);
/// The Makefile of a generated project.
std::string project_makefile(const std::string& project, bool has_user_program);
/// The README of a generated project; it carries the mark by which ksc knows its own.
std::string project_readme(const std::string& project, bool has_user_program);

}  // namespace ksc
