;; Runs a program, and flushes the logs that it has left open when it returns.
(component
  (import "wasi:cli/run@0.2.0" (instance $program (export "run" (func (result (result))))))
  (import "stratalog:adapters/open-logs" (instance $logs
    (export "keep" (func))
    (export "flush" (func (result (result))))))
  (core module $calls
    (import "program" "run" (func $run (result i32)))
    (import "logs" "keep" (func $keep))
    (import "logs" "flush" (func $flush (result i32)))
    ;; A result is 1 if it is an error.
    (func (export "run") (result i32)
      call $keep
      call $run
      call $flush
      i32.or))
  (core func $run (canon lower (func $program "run")))
  (core func $keep (canon lower (func $logs "keep")))
  (core func $flush (canon lower (func $logs "flush")))
  (core instance $called (instantiate $calls
    (with "program" (instance (export "run" (func $run))))
    (with "logs" (instance (export "keep" (func $keep)) (export "flush" (func $flush))))))
  (func $lifted (result (result)) (canon lift (core func $called "run")))
  (instance $run (export "run" (func $lifted)))
  (export "wasi:cli/run@0.2.0" (instance $run)))
