package file

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// numbered returns n file names in a folder.
func numbered(dir string, n int) (files []string) {
	for i := range n {
		files = append(files, fmt.Sprintf("%s/%04d", dir, i))
	}
	return files
}

// TestStarts has, for each rule that GitHub documents about starting workflows, one case that starts and one that does not.
func TestStarts(t *testing.T) {
	push := func(branch string, files ...string) Occurrence {
		return Occurrence{Event: "push", Ref: branchRefs + branch, Changed: Changed{Files: files, Commits: 1}}
	}
	tag := func(name string, of int) Occurrence {
		return Occurrence{Event: "push", Ref: tagRefs + name, Tags: of}
	}
	request := func(base, kind string, files ...string) Occurrence {
		return Occurrence{Event: "pull_request", Ref: branchRefs + base, Type: kind, Changed: Changed{Files: files}}
	}
	with := func(o Occurrence, change func(*Occurrence)) Occurrence {
		change(&o)
		return o
	}
	said := func(message string) func(*Occurrence) { return func(o *Occurrence) { o.Message = message } }
	byToken := func(o *Occurrence) { o.ByJobToken = true }
	for _, c := range []struct {
		on   string
		of   Occurrence
		want string
	}{
		{"push", push("main"), ""},
		{"pull_request", push("main"), "f.yml:1 does not start for pushes"},
		{"push", request("main", "opened"), "f.yml:1 does not start for pull_request"},

		{"{push: {branches: [main, 'release/*']}}", push("release/1"), ""},
		{"{push: {branches: [main, 'release/*']}}", push("release/1/x"), "f.yml:1 starts for branches that match main, release/*, but the branch release/1/x does not (* does not match /)"},
		{"{push: {branches: ['**', '!main']}}", push("main"), "f.yml:1 starts for branches that match **, !main, but the branch main does not"},
		{"{push: {branches: ['!main', '**']}}", push("main"), ""},
		{"{push: {branches-ignore: [main]}}", push("main"), "f.yml:1 ignores the branch main"},
		{"{push: {branches-ignore: [main]}}", push("other"), ""},
		{"{push: {tags: ['v*']}}", push("main"), "f.yml:1 has filters only for tags, so it starts for no branch"},
		{"{push: {tags-ignore: ['v*']}}", push("main"), "f.yml:1 has filters only for tags, so it starts for no branch"},
		{"{push: {branches: [main], tags: ['v*']}}", push("main"), ""},
		{"{push: {branches: [v1]}}", tag("v1", 1), "f.yml:1 has filters only for branches, so it starts for no tag"},

		{"{push: {tags: ['v*']}}", tag("v1", 3), ""},
		{"{push: {tags: ['v*']}}", tag("v1", 4), "GitHub creates no event for a push of more than three tags, and this push has 4"},

		{"{push: {paths: [docs/**]}}", push("main", "a.go", "docs/x"), ""},
		{"{push: {paths: [docs/**]}}", push("main", "a.go"), "f.yml:1 starts for files that match docs/**, but none of the 1 changed files does"},
		{"{push: {paths: ['docs/**', '!docs/**.md']}}", push("main", "docs/a/b.md"), "f.yml:1 starts for files that match docs/**, !docs/**.md, but none of the 1 changed files does"},
		{"{push: {paths-ignore: [docs/**]}}", push("main", "docs/x"), "f.yml:1 ignores files that match docs/**, and no other file changed"},
		{"{push: {paths-ignore: [docs/**]}}", push("main", "docs/x", "a.go"), ""},
		{"{push: {paths-ignore: [docs/**]}}", push("main"), "f.yml:1 starts only if files changed, but no file did"},
		{"{push: {branches: [other], paths: [docs/**]}}", push("main", "docs/x"), "f.yml:1 starts for branches that match other, but the branch main does not"},
		{"{push: {paths: [docs/**]}}", tag("v1", 1), ""},
		{"{push: {paths: [z]}}", push("main", append(numbered("a", 299), "z")...), ""},
		{"{push: {paths: [z]}}", push("main", append(numbered("a", 300), "z")...), "f.yml:1 would start for the changed z, but GitHub looks only at the first 300 of 301 files"},
		{"{push: {paths: [z]}}", with(push("main", "a"), func(o *Occurrence) { o.Changed.Commits = 1000 }), "f.yml:1 starts for files that match z, but none of the 1 changed files does"},
		{"{push: {paths: [z]}}", with(push("main", "a"), func(o *Occurrence) { o.Changed.Commits = 1001 }), ""},

		{"pull_request", request("main", "opened"), ""},
		{"pull_request", request("main", "closed"), "f.yml:1 starts for opened, synchronize, reopened of a pull_request, but this event is closed"},
		{"{pull_request: {types: [closed]}}", request("main", "closed"), ""},
		{"{pull_request: {types: closed}}", request("main", "opened"), "f.yml:1 starts for closed of a pull_request, but this event is opened"},
		{"{pull_request: {branches: ['release/**']}}", request("main", "opened"), "f.yml:1 starts for branches that match release/**, but the branch main does not"},
		{"{pull_request: {branches-ignore: [main]}}", request("main", ""), "f.yml:1 ignores the branch main"},
		{"{pull_request: {paths: [z]}}", request("main", "opened", append(numbered("a", 2999), "z")...), ""},
		{"{pull_request: {paths: [z]}}", request("main", "opened", append(numbered("a", 3000), "z")...), "f.yml:1 would start for the changed z, but GitHub looks only at the first 3000 of 3001 files"},

		{"{merge_group: {branches: [main]}}", Occurrence{Event: "merge_group", Ref: branchRefs + "main", Type: "checks_requested"}, ""},
		{"{merge_group: {branches: [main]}}", Occurrence{Event: "merge_group", Ref: branchRefs + "x"}, "f.yml:1 starts for branches that match main, but the branch x does not"},
		{"{merge_group: {types: [checks_requested]}}", Occurrence{Event: "merge_group", Type: "destroyed"}, "f.yml:1 starts for checks_requested of a merge_group, but this event is destroyed"},
		{"{schedule: [{cron: '5 4 * * *'}]}", Occurrence{Event: "schedule", Ref: branchRefs + "main", Default: "main"}, ""},
		{"{schedule: [{cron: '5 4 * * *'}]}", Occurrence{Event: "schedule", Ref: branchRefs + "x", Default: "main"}, "f.yml:1 runs on schedule only on main"},
		{"workflow_call", Occurrence{Event: "workflow_call"}, "f.yml:1 starts only if another workflow calls this workflow"},
		{"workflow_dispatch", Occurrence{Event: "workflow_dispatch", Ref: tagRefs + "v1", Tags: 9}, ""},
		{"push", Occurrence{Event: "workflow_dispatch"}, "f.yml:1 does not start for workflow_dispatch"},

		{"push", with(push("main"), byToken), "a job that uses its GITHUB_TOKEN can start workflows only with workflow_dispatch and repository_dispatch"},
		{"push", with(tag("v1", 1), byToken), "a job that uses its GITHUB_TOKEN can start workflows only with workflow_dispatch and repository_dispatch"},
		{"workflow_dispatch", with(Occurrence{Event: "workflow_dispatch"}, byToken), ""},
		{"repository_dispatch", with(Occurrence{Event: "repository_dispatch"}, byToken), ""},

		{"push", with(push("main"), said("fix it [skip ci]")), "the commit message has [skip ci]"},
		{"push", with(tag("v1", 1), said("[no ci] of this")), "the commit message has [no ci]"},
		{"pull_request", with(request("main", "opened"), said("x\n\n[actions skip]")), "the commit message has [actions skip]"},
		{"workflow_dispatch", with(Occurrence{Event: "workflow_dispatch"}, said("[ci skip]")), ""},
		{"merge_group", with(Occurrence{Event: "merge_group"}, said("[skip actions]")), ""},
		{"push", with(push("main"), said("x\n\n\nskip-checks: true\n")), "the commit message has skip-checks: true"},
		{"push", with(push("main"), said("x\n\n\nSigned-off-by: me\nskip-checks:true")), "the commit message has skip-checks:true"},
		{"push", with(push("main"), said("x\n\nskip-checks: true")), ""},
		{"push", with(push("main"), said("x\n\n\nskip-checks: true\n\nand more")), ""},
		{"push", with(push("main"), said("skip ci")), ""},
	} {
		w, err := Read("f.yml", []byte("on: "+c.on+job))
		require.NoError(t, err, c.on)
		starts, why := w.Starts(c.of)
		require.Equal(t, c.want, why, "%s %+v", c.on, c.of.Event)
		require.Equal(t, c.want == "", starts, c.on)
	}
}
