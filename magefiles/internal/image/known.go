package image

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/image/proof"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
)

// lookUp reuses an image only if this clone's records contain its digest for this exact plan. The registry's image under the commit's tag proves
// nothing, because anyone with push access can put it there. If the job pushes, lookUp fails early unless it has push access.
func (j *Job) lookUp(ctx context.Context) (string, error) {
	if j.Push {
		if err := j.Registry.MayPush(ctx, j.Plan.Repository); err != nil {
			return "", err
		}
	}
	record := j.readRecord()
	digest := record.Digest
	switch {
	case !j.Push && !j.Again && digest != "" && j.findKept(record):
		return "not asked, because this machine has the image: " + j.Result.Digest, nil
	case !j.Push || j.Again:
		return "not asked, because no image is reused from the registry", nil
	case digest == "":
		return j.describeStranger(ctx)
	}
	i, err := j.Registry.Read(ctx, j.Plan.Repository+"@"+digest)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return "no longer has the image that this clone built", nil
	case registry.IsDenied(err): // some registries deny access to a repository that no longer exists; the build will find out
		return "has no image of this commit that we may read", nil
	case err != nil:
		return "", err
	}
	if err := proof.Verify(i, digest, j.Plan.expect()); err != nil {
		//lint:ignore nilerr a different image is an answer, not an error
		return "has a different image: " + err.Error(), nil
	}
	j.index, j.Result.Reused, j.Result.Pushed, j.Result.Digest, j.Result.Checked = i, true, true, i.Digest, record.listChecked()
	return "has the image: " + i.Digest, nil
}

// describeStranger describes the registry's image under the commit's tag if this clone has no record of building it. The job does not use that
// image.
func (j *Job) describeStranger(ctx context.Context) (string, error) {
	if j.Plan.Partial {
		return "not asked, because this clone has not built the image yet", nil
	}
	tag := RevisionTag(j.Plan.Revision)
	there, err := j.Registry.ReadDigest(ctx, j.Plan.Repository+":"+tag)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return "has no image of this commit", nil
	case registry.IsDenied(err):
		return "has no image of this commit that we may read", nil
	case err != nil:
		return "", err
	}
	j.other = there
	return fmt.Sprintf("has %s as %s, which is not reused, because this clone did not build it", j.other, tag), nil
}

// compareWithOther describes how the registry's earlier image under the commit's tag differs from the new one. The result is informational: the
// tags move to the new image in any case.
func (j *Job) compareWithOther(ctx context.Context) string {
	if j.other == "" || j.other == j.Result.Digest {
		return ""
	}
	tag := RevisionTag(j.Plan.Revision)
	there, err := j.Registry.Read(ctx, j.Plan.Repository+"@"+j.other)
	if err == nil {
		_, err = compare(there, j.index)
	}
	if err == nil {
		return "; the earlier image of " + tag + " is the same"
	}
	return fmt.Sprintf("; the earlier image of %s, %s, differs from the image that these sources gave now", tag, j.other)
}

// layoutDir returns the folder for an image that is not pushed.
func (j *Job) layoutDir() string { return filepath.Join(j.Dir, "oci") }

// findKept reports whether the image that an earlier run stored and verified is still intact. The folder is in the work tree, where files can
// change, so findKept compares each file with its digest.
func (j *Job) findKept(record ownBuild) bool {
	i, err := registry.ReadLayout(j.layoutDir())
	if err != nil || proof.Verify(i, record.Digest, j.Plan.expect()) != nil || registry.CheckLayout(j.layoutDir(), i) != nil {
		return false
	}
	j.index, j.Result.Reused, j.Result.Kept, j.Result.Digest, j.Result.Checked = i, true, j.layoutDir(), i.Digest, record.listChecked()
	return true
}
