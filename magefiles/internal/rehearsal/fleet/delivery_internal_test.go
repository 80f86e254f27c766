package fleet

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

const old, delivered = "sha256:1111111111111111", "sha256:2222222222222222"

// answered implements Hosts with two environments and the given stays.
type answered []Stay

func (answered) App() string { return "app" }

func (answered) Environments() []Environment {
	return []Environment{{Name: "staging", Hosts: 1}, {Name: "production", After: "staging", Hosts: 1, ByCI: true}}
}

func (answered) Environ() []string { return nil }

func (answered) Push(context.Context, Image) (string, error) { return old, nil }

func (a answered) Stays() []Stay { return a }

func (answered) Close() {}

func stay(environment, digest string) Stay {
	return Stay{
		Environment: environment,
		Host:        "one",
		Digest:      digest,
		Answers:     3,
	}
}

// An environment with an After is approved once the environment named there serves the delivered image. Other environments need no approval.
func TestWhoApproves(t *testing.T) {
	held := 0
	hold := func() error { held++; return nil }
	d := Delivery{
		Hosts:  answered{stay("staging", old), stay("staging", delivered)},
		before: old,
	}
	for _, name := range []string{"staging", "release"} {
		approves, err := d.Approve(t.Context(), name, hold)
		require.NoError(t, err)
		require.False(t, approves, name)
	}
	require.Zero(t, held)
	approves, err := d.Approve(t.Context(), "production", hold)
	require.NoError(t, err)
	require.True(t, approves)
	require.Equal(t, 1, held)

	d.Hosts = answered{stay("staging", old)}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = d.Approve(ctx, "production", func() error { cancel(); return nil })
	require.ErrorIs(t, err, context.Canceled, "staging does not have the image yet")
}

// A rehearsal passes only if each host serves the delivered image in the end and no request has failed.
func TestHostsServeTheImageInTheEnd(t *testing.T) {
	staging, production := stay("staging", delivered), stay("production", delivered)
	cut := production
	cut.Failed = 1
	for _, c := range []struct {
		stays answered
		until string
		want  string
	}{
		{stays: answered{stay("staging", old), staging, production}, want: "222222222222 on 2 hosts, 9 requests meanwhile, none failed"},
		{stays: answered{stay("staging", old), staging}, want: "only 0 of 1 hosts of production have answered"},
		{stays: answered{staging, stay("production", old)}, want: "host one of production answers with another image: expected 222222222222, found 111111111111"},
		{stays: answered{staging, stay("production", old)}, until: "staging", want: "222222222222 on 1 host, 6 requests meanwhile, none failed"},
		{stays: answered{staging, stay("staging", old), production}, want: "host one of staging answers with another image: expected 222222222222, found 111111111111"},
		{stays: answered{stay("staging", old), staging, cut}, want: "1 of 10 requests to the hosts failed"},
	} {
		d := Delivery{Hosts: c.stays, Until: c.until}
		says, err := d.Seen(delivered)
		if err != nil {
			says = err.Error()
		}
		require.Equal(t, c.want, says)
	}
}
