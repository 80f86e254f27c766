package image

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/image/proof"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
)

// lookUp takes the image that this clone has made of this very plan, by its digest, and no other one: what the registry has
// under the tag of the commit, anyone who may push there can have put there. What is to be pushed has to be permitted,
// before time goes into it.
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
		return "not asked; this machine has it: " + j.Result.Digest, nil
	case !j.Push || j.Again:
		return "not asked: nothing is taken from there", nil
	case digest == "":
		return j.describeStranger(ctx)
	}
	i, err := j.Registry.Read(ctx, j.Plan.Repository+"@"+digest)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return "has no longer the image that this clone built", nil
	case registry.IsDenied(err): // as some say of a repository that is not there any more; the build proves whether this one can be read
		return "has no image of this commit that may be read", nil
	case err != nil:
		return "", err
	}
	if err := proof.Verify(i, digest, j.Plan.expect()); err != nil {
		//lint:ignore nilerr that it is another one is the answer
		return "has another one: " + err.Error(), nil
	}
	j.index, j.Result.Reused, j.Result.Pushed, j.Result.Digest, j.Result.Checked = i, true, true, i.Digest, record.listChecked()
	return "has it: " + i.Digest, nil
}

// describeStranger tells of what stands under the tag of the commit, where this clone has built none. It is not taken.
func (j *Job) describeStranger(ctx context.Context) (string, error) {
	if j.Plan.Partial {
		return "not asked: this clone has not built it yet", nil
	}
	tag := RevisionTag(j.Plan.Revision)
	there, err := j.Registry.ReadDigest(ctx, j.Plan.Repository+":"+tag)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return "has no image of this commit", nil
	case registry.IsDenied(err):
		return "has no image of this commit that may be read", nil
	case err != nil:
		return "", err
	}
	j.other = there
	return fmt.Sprintf("has %s as %s, which this clone did not build: it is not taken", j.other, tag), nil
}

// compareWithOther compares what the registry had under the tag of the commit with what was built now. It is for a person to read:
// whatever it says, the tags go to what was built.
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
		return "; what " + tag + " stood for has the same images"
	}
	return fmt.Sprintf("; what %s stood for, %s, is another image than these sources gave now", tag, j.other)
}

// layoutDir is where an image is kept that is not pushed.
func (j *Job) layoutDir() string { return filepath.Join(j.Dir, "oci") }

// findKept looks for the image that an earlier run has kept and proved. The folder is in the work tree, where anything may
// have been put since: every file has to be what its digest says.
func (j *Job) findKept(record ownBuild) bool {
	i, err := registry.ReadLayout(j.layoutDir())
	if err != nil || proof.Verify(i, record.Digest, j.Plan.expect()) != nil || registry.CheckLayout(j.layoutDir(), i) != nil {
		return false
	}
	j.index, j.Result.Reused, j.Result.Kept, j.Result.Digest, j.Result.Checked = i, true, j.layoutDir(), i.Digest, record.listChecked()
	return true
}
