"""A set of .bzl files, for documentation only."""

def bzl_library(name, srcs = [], deps = [], **kwargs):
    native.filegroup(name = name, srcs = srcs, data = deps, **kwargs)
