package buildx

import (
	"context"
	"fmt"
	"time"

	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
	"github.com/foopack/foopack/magefiles/internal/pause"
)

// mayPass matches registry and network errors that may be transient.
var mayPass = lazyregexp.New(`(?i)(: 50[0234] (Internal|Bad|Service|Gateway)|\bEOF\b|connection reset by peer|broken pipe|TLS handshake timeout|i/o timeout|` +
	`no such host|server misbehaving|temporary failure in name resolution)`)

// tooMany matches a registry's response to too many requests. spent matches the response if a long-term quota is used up; a retry would fail too.
var (
	tooMany = lazyregexp.New(`(?i)\b429 Too Many Requests|toomanyrequests`)
	spent   = lazyregexp.New(`(?i)pull rate limit`)
)

// Pauses before a retry: after a transient failure, and after a registry's rate limit.
const (
	untilPassed  = 2 * time.Second
	untilAllowed = 20 * time.Second
)

// waitBeforeSecond returns how long to wait before a build is retried, or 0 if it should not be. It is not retried if a step failed or the builder
// is gone. A retry takes finished steps from the builder's cache.
func waitBeforeSecond(record string) time.Duration {
	said := cutToErrors(record)
	switch {
	case stepFailed().MatchString(record), everywhere.find(said, remedy{}).gone, spent().MatchString(said):
		return 0
	case tooMany().MatchString(said):
		return untilAllowed
	case mayPass().MatchString(said):
		return untilPassed
	}
	return 0
}

// runTwice runs docker, and retries once after a transient failure. record is the output of the last try. If there were two, `before` is the output
// of the first.
func (b *Builder) runTwice(ctx context.Context, run func() (record string, err error)) (before, record string, err error) {
	record, err = run()
	if err == nil || ctx.Err() != nil {
		return "", record, err
	}
	wait := waitBeforeSecond(record)
	if wait == 0 {
		return "", record, err
	}
	if b.Log != nil {
		fmt.Fprintf(b.Log, "— this may pass: a second try in %v —\n", wait)
	}
	sleep := b.Pause
	if sleep == nil {
		sleep = pause.For
	}
	if sleep(ctx, wait) != nil {
		return "", record, err
	}
	before = record
	record, err = run()
	return before, record, err
}
