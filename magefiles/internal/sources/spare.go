package sources

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
)

// checkOut creates the clone for a build of the work tree. It reuses a spare clone or one left by an earlier build if it is unmodified, which is
// ten times as fast. A commit is always built in a new clone.
func (b *build) checkOut(ctx context.Context) error {
	for i := 0; i < spares && !exists(b.copies()); i++ {
		if os.Rename(b.spare(i), b.copies()) == nil { // the process whose rename succeeds owns the clone
			break
		}
	}
	if gitclone.Renew(ctx, b.repo, b.clone, b.head) == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := b.empty(); err != nil {
		return err
	}
	if err := gitclone.Borrow(ctx, b.repo, b.clone, b.head); err != nil {
		return err
	}
	return gitclone.Keep(ctx, b.repo, b.clone, b.head)
}

// putAway removes the clone, or keeps it as a spare for the next build of the work tree.
func (b *build) putAway() error {
	for i := 0; i < spares && b.commit == nil && b.head != ""; i++ {
		if os.Rename(b.copies(), b.spare(i)) == nil {
			return nil
		}
	}
	return removeAll(b.copies())
}

// spares limits the number of spare clones per workspace to the number of parallel builds.
var spares = runtime.NumCPU()

// spare returns the folder of a spare clone. Its name cannot be the name of a package.
func (b *build) spare(i int) string {
	return filepath.Join(filepath.Dir(b.place), fmt.Sprintf(".spare%d", i))
}
