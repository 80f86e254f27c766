package buildx

import (
	"context"
	"fmt"
	"time"

	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
	"github.com/foopack/foopack/magefiles/internal/pause"
)

// mayPass is what a registry, or the way there, says when the next try may go well.
var mayPass = lazyregexp.New(`(?i)(: 50[0234] (Internal|Bad|Service|Gateway)|\bEOF\b|connection reset by peer|broken pipe|TLS handshake timeout|i/o timeout|` +
	`no such host|server misbehaving|temporary failure in name resolution)`)

// tooMany is what a registry says of requests that come too fast, and spent that the ones for hours are used up: no second try is let in.
var (
	tooMany = lazyregexp.New(`(?i)\b429 Too Many Requests|toomanyrequests`)
	spent   = lazyregexp.New(`(?i)pull rate limit`)
)

// How long to wait before a second try: for what may pass, and for a registry that wants fewer requests.
const (
	untilPassed  = 2 * time.Second
	untilAllowed = 20 * time.Second
)

// waitBeforeSecond says how long to wait for the second try of a build that failed by what may pass; 0 is no second try. In it all steps are in the
// builder's cache. A step that failed is not tried again, nor is a builder that is gone.
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

// twice runs docker, and a second time where the first one failed by what may pass. It returns what the last one said, and what the first one
// did where there were two.
func (b *Builder) twice(ctx context.Context, run func() (record string, err error)) (before, record string, err error) {
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
