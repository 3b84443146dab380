package cri

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// maxLogLine is where containerd cuts a line in parts.
const maxLogLine = 16 << 10

// criLog is a container's log file in CRI's format: lines of "TIME STREAM TAG TEXT", tag F for a full line and P for a
// part of one.
type criLog struct {
	path string
	mu   sync.Mutex
	file *os.File
}

// openLog opens the log at path to add to it, and makes what is missing of it.
func openLog(path string) (*criLog, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	log := &criLog{path: path}
	return log, log.reopen()
}

// reopen goes on in the file that is now at the path, after the kubelet has moved the old one away.
func (l *criLog) reopen() error {
	file, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		l.file.Close()
	}
	l.file = file
	return nil
}

// Close closes the file.
func (l *criLog) Close() error { return l.file.Close() }

// stream returns a writer for one of the container's output streams, stdout or stderr.
func (l *criLog) stream(name string) *logStream { return &logStream{log: l, name: name} }

// logStream cuts what is written to it into lines.
type logStream struct {
	log  *criLog
	name string
	rest []byte
}

// Write implements io.Writer; a line is logged once it is complete.
func (s *logStream) Write(data []byte) (int, error) {
	s.rest = append(s.rest, data...)
	for {
		switch end := bytes.IndexByte(s.rest, '\n'); {
		case end >= 0 && end <= maxLogLine:
			s.line("F", s.rest[:end])
			s.rest = s.rest[end+1:]
		case len(s.rest) >= maxLogLine:
			s.line("P", s.rest[:maxLogLine])
			s.rest = s.rest[maxLogLine:]
		default:
			return len(data), nil
		}
	}
}

// flush logs a last line that has no end.
func (s *logStream) flush() {
	if len(s.rest) > 0 {
		s.line("F", s.rest)
		s.rest = nil
	}
}

func (s *logStream) line(tag string, text []byte) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	fmt.Fprintf(s.log.file, "%s %s %s %s\n", time.Now().UTC().Format(time.RFC3339Nano), s.name, tag, text)
}
