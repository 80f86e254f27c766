package targets

import (
	"context"

	"github.com/magefile/mage/mg"
)

// QA runs lint, format check and tests, as CI does.
type QA mg.Namespace

// All checks every package: lint, format check, tests.
func (QA) All(ctx context.Context) error {
	return run(ctx, func(ctx context.Context, a *app) error {
		w, err := a.workspace()
		if err != nil {
			return err
		}
		var jobs []any
		for _, p := range w.Order() {
			jobs = append(jobs, mg.F(qaPackage, p.Name))
		}
		// One after the other: each uses all cores, and coverage files of parallel runs would mix.
		mg.SerialCtxDeps(ctx, jobs...)
		return nil
	})
}

// Package checks one package, named by its conda name: its task qa-<folder>.
func (QA) Package(ctx context.Context, name string) error { return run(ctx, packageTask("qa", name)) }

func qaPackage(ctx context.Context, name string) error {
	return runJob(ctx, packageTask("qa", name))
}
