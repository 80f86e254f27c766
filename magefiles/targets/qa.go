package targets

import (
	"context"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// QA runs lint, format check and tests, as CI does.
type QA mg.Namespace

// All checks every package. It runs lint, format check, and tests. For example: `mage qa:all`, `mage qa:all test:all`. Exit statuses: mage help qa:all.
func (QA) All(ctx context.Context) error {
	return inPackages(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		if _, err := toolchain.PackageTasks(w, "qa"); err != nil {
			return err
		}
		var jobs []any
		for _, p := range w.Order() {
			jobs = append(jobs, mg.F(qaPackage, p.Name))
		}
		// One after the other: each uses all cores, and coverage files of parallel runs would mix.
		mg.SerialCtxDeps(ctx, jobs...)
		a.next(ctx, "`mage check`")
		return nil
	})
}

// Package checks one package. NAME is its conda name, and its task is qa-<folder>. For example: `mage qa:package foopack-core`, `mage qa:package
// foopack-ui`. Exit statuses: mage help qa:package.
func (QA) Package(ctx context.Context, name string) error {
	return inWorkspace(ctx, packageTask("qa", name).withNext("`mage test:all`"))
}

func qaPackage(ctx context.Context, name string) error {
	return jobInWorkspace(ctx, packageTask("qa", name))
}
