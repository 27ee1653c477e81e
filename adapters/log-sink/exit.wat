;; Flushes the log sink before a program exits.
(component
  (import "wasi:cli/exit@0.2.0" (instance $host
    (export "exit" (func (param "status" (result))))))
  (import "stratalog:adapters/log-sink" (instance $sink (export "flush" (func))))
  (core module $calls
    (import "host" "exit" (func $exit (param i32)))
    (import "sink" "flush" (func $flush))
    (func (export "exit") (param $status i32)
      call $flush
      local.get $status
      call $exit))
  (core func $exit (canon lower (func $host "exit")))
  (core func $flush (canon lower (func $sink "flush")))
  (core instance $called (instantiate $calls
    (with "host" (instance (export "exit" (func $exit))))
    (with "sink" (instance (export "flush" (func $flush))))))
  (func $lifted (param "status" (result)) (canon lift (core func $called "exit")))
  (instance $exit (export "exit" (func $lifted)))
  (export "wasi:cli/exit@0.2.0" (instance $exit)))
