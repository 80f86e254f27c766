package runner_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/runner"
)

// TestHostileFiles puts endless files where the runner itself reads or writes. A step fails immediately or when it times out.
func TestHostileFiles(t *testing.T) {
	for name, c := range map[string]struct{ steps, want string }{
		"a pipe among the files of a hash": {
			steps: "- run: mkfifo f\n- run: echo ${{ hashFiles('**') }}\n",
			want:  "f: not a regular file",
		},
		"a device as a file of a hash": {
			steps: "- run: ln -s /dev/zero f\n- run: echo ${{ hashFiles('f') }}\n",
			want:  "f: not a regular file",
		},
		"a hash without an end": {
			steps: "- run: truncate -s 4T f\n- run: echo ${{ hashFiles('f') }}\n  timeout-minutes: 0.01\n",
			want:  "the step took longer than its timeout-minutes",
		},
		"a hash in a condition": {
			steps: "- run: truncate -s 4T f\n- run: echo\n  if: hashFiles('f') != ''\n",
			want:  "the job took longer than timeout-minutes allows",
		},
		"a pipe as an artifact": {
			steps: "- run: mkfifo f\n- uses: actions/upload-artifact@v4\n  with: {path: f}\n",
			want:  "f: not a regular file",
		},
		"an artifact without an end": {
			steps: "- run: truncate -s 4T f\n- uses: actions/upload-artifact@v4\n  with: {path: f}\n  timeout-minutes: 0.01\n",
			want:  "the step took longer than its timeout-minutes",
		},
		"a pipe where an artifact goes": {
			steps: "- run: echo > f\n- uses: actions/upload-artifact@v4\n  with: {path: f}\n- run: rm f && mkfifo f\n- uses: actions/download-artifact@v4\n  with: {name: artifact}\n",
			want:  "f exists, but is not a file",
		},
		"a pipe as an action": {
			steps: "- run: mkdir x; mkfifo x/action.yml\n- uses: ./x\n",
			want:  "x/action.yml: not a regular file",
		},
		"a device as an action": {
			steps: "- run: mkdir x; ln -s /dev/zero x/action.yml\n- uses: ./x\n",
			want:  "x/action.yml: not a regular file",
		},
		"an action without an end": {
			steps: "- run: mkdir x; truncate -s 4T x/action.yaml\n- uses: ./x\n",
			want:  "x/action.yaml: the file has more than 1048576 bytes",
		},
		"a pipe as a file of versions": {
			steps: "- run: mkfifo v\n- uses: actions/setup-go@v5\n  with: {go-version-file: v}\n",
			want:  "the file v of go-version-file does not exist",
		},
		"pipes where the next step is written": {
			steps: "- run: mkfifo $RUNNER_TEMP/step-2 $RUNNER_TEMP/_runner_file_commands/output-2\n- run: echo on >> $GITHUB_OUTPUT; echo went on\n",
			want:  "went on",
		},
		"a pipe where a program is installed": {
			steps: "- run: mkdir -p $RUNNER_TOOL_CACHE/python/3.13/bin && mkfifo $RUNNER_TOOL_CACHE/python/3.13/bin/python\n- uses: actions/setup-python@v5\n  with: {python-version: '3.13'}\n- run: echo went on\n",
			want:  "went on",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil)
			r := b.run("jobs:\n  a:\n    runs-on: ubuntu-latest\n    timeout-minutes: 0.2\n    steps:\n" + indent(c.steps, 6))
			leg := r.Jobs[0].Legs[0]
			require.Contains(t, log(leg)+leg.Why, c.want)
			require.NotEqual(t, runner.Skipped, leg.Conclusion)
		})
	}
}
