package fleet

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// answered are hosts of two environments, as they have answered.
type answered []Stay

func (answered) App() string { return "app" }

func (answered) Environments() []Environment {
	return []Environment{{Name: "staging", Hosts: 1}, {Name: "production", Hosts: 1}}
}

func (answered) Environ() []string { return nil }

func (answered) Push(_ context.Context, i Image, _ string) (Image, error) { return i, nil }

func (answered) Offer(Image) {}

func (a answered) Stays() []Stay { return a }

func (answered) Close() {}

// The CI waits for what is delivered from here, and for nothing else that comes before it.
func TestWhatTheCIWaitsFor(t *testing.T) {
	all := []Environment{
		{Name: "staging"},
		{Name: "load", ByCI: true},
		{Name: "production", After: "staging", ByCI: true},
		{Name: "spare", After: "production", ByCI: true},
	}
	for n, waits := range []bool{false, false, true, false} {
		require.Equal(t, waits, approval(all[n], all).For == mostApproval, all[n].Name)
	}
}

// A rehearsal passes only where each host answers with what was delivered, and no request has failed.
func TestWhatTheHostsEndWith(t *testing.T) {
	const old, delivered = "sha256:1111111111111111", "sha256:2222222222222222"
	before := Stay{Environment: "staging", Host: "one", Digest: old, Answers: 2}
	staging := Stay{Environment: "staging", Host: "one", Digest: delivered, Answers: 3}
	production := Stay{Environment: "production", Host: "one", Digest: delivered, Answers: 4}
	behind, cut := production, production
	behind.Digest, cut.Failed = old, 1
	for _, c := range []struct {
		stays answered
		want  string
	}{
		{stays: answered{before, staging, production}, want: "222222222222 on 2 hosts, 9 requests meanwhile, none failed"},
		{stays: answered{before, staging}, want: "1 of 2 hosts have answered"},
		{stays: answered{before, staging, behind}, want: "one of production answers with 111111111111, and 222222222222 was delivered"},
		{stays: answered{staging, before, production}, want: "one of staging answers with 111111111111, and 222222222222 was delivered"},
		{stays: answered{before, staging, cut}, want: "1 of 10 requests to the hosts failed"},
	} {
		d := Delivery{Hosts: c.stays, Image: Image{Digest: delivered}}
		says, err := d.seen()
		if err != nil {
			says = err.Error()
		}
		require.Equal(t, c.want, says)
	}
}
